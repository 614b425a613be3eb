import type { Random } from './random.ts';

/** What invented customers write: half in Japanese, half in English. */
interface Remark {
  readonly text: string;
  readonly language: 'ja' | 'en';
}

/** From the unhappy to the delighted. */
export type Mood = 'bad' | 'fair' | 'good';

const ja = (text: string): Remark => ({ text, language: 'ja' });
const en = (text: string): Remark => ({ text, language: 'en' });

const REMARKS: Readonly<Record<Mood, readonly Remark[]>> = {
  bad: [
    ja('届くまでに十日かかり、箱もつぶれていました。'),
    ja('注文と違う色が届きました。返品の案内も分かりにくいです。'),
    ja('湯呑みに欠けがありました。贈り物だったので残念です。'),
    ja('何度問い合わせても返事がありません。'),
    ja('香りが弱く、写真の印象とだいぶ違いました。'),
    en('The parcel took ten days and the box was crushed.'),
    en('The cup arrived chipped and nobody answers my messages.'),
    en('Checkout failed twice and I was charged both times.'),
    en('Stale tea, not what the page promised.'),
    en('I could not find how to send it back.'),
  ],
  fair: [
    ja('味は普通ですが、値段は手ごろです。'),
    ja('商品は良いけれど、配送がもう少し早いと助かります。'),
    ja('思ったより小さめでした。包装はきれいです。'),
    en('Decent tea, slow delivery.'),
    en('Smaller than I expected, nicely wrapped though.'),
    en('Fine for every day, nothing special.'),
  ],
  good: [
    ja('香りが豊かで、毎朝の楽しみになりました。'),
    ja('梱包が丁寧で、贈り物にしたら大変喜ばれました。'),
    ja('二度目の注文です。新茶がとてもおいしかったです。'),
    ja('問い合わせにすぐ答えていただき、安心して買えました。'),
    ja('手帳の紙がなめらかで書きやすいです。'),
    en('Wonderful aroma, I look forward to it every morning.'),
    en('My second order, and just as fresh as the first.'),
    en('The teapot pours beautifully and was packed with care.'),
    en('Support answered within minutes. Thank you!'),
    en('A lovely gift box, my sister was delighted.'),
  ],
};

export function remark(random: Random, mood: Mood): Remark {
  return random.pick(REMARKS[mood]);
}
