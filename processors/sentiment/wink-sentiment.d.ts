/** The part of wink-sentiment 5 that is used: it comes without types. */
declare module 'wink-sentiment' {
  interface Token {
    readonly value: string;
    readonly tag: string;
    readonly score?: number;
  }
  function winkSentiment(phrase: string): {
    readonly score: number;
    /** -5 to 5: the mean valence of the words that have one, less for a long text. */
    readonly normalizedScore: number;
    /** Absent for a text without any token. */
    readonly tokenizedPhrase?: readonly Token[];
  };
  export = winkSentiment;
}
