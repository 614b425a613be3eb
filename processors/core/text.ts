/**
 * Whether `value` takes at most `limitBytes` in UTF-8. Its length decides all but a few cases: no character of a string
 * takes less than one byte or more than three for each of its UTF-16 units.
 */
export function fitsUtf8(value: string, limitBytes: number): boolean {
  const length = value.length;
  if (length * 3 <= limitBytes) return true;
  if (length > limitBytes) return false;
  return Buffer.byteLength(value) <= limitBytes;
}

/**
 * Whether the text holds a control character (U+0000–001F, U+007F–009F) or half of a surrogate pair: neither survives
 * terminals, log lines and UTF-8 unchanged, so neither may be part of a name.
 */
export function hasUnsafeCharacter(value: string): boolean {
  let surrogates = false;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x20 || (unit > 0x7e && unit < 0xa0)) return true;
    surrogates ||= unit >= 0xd800 && unit < 0xe000;
  }
  return surrogates && !value.isWellFormed();
}
