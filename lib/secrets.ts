// Whether a text repeats a secret, in any spelling and even in part: such a text stays out of errors.

/** From this length on, in characters, a part of a secret counts, inside longer words, too. */
const PART = 8;

/** The same length for a part that looks like ordinary words, such as "authorization_code". */
const PART_LIKE_WORDS = 20;

/** Every part has a piece of 5 characters that starts at a multiple of 4: to look for these first is four times as fast. */
const [PIECE, STEP] = [5, 4] as const;

/** What ordinary words do not have: a digit, punctuation, or a capital letter after a small one. */
const UNLIKE_WORDS = /[^A-Za-z_ ]|[a-z][A-Z]/;

/** Characters of a token, in a row that is longer than most words. */
const TOKENS = /[\w+=%~-]{24,}/g;

/**
 * Whether a text repeats one of the given secrets: as it is, percent-encoded (in part or twice, too), in base64 or
 * base64url (also in the middle of what is encoded), or in hex, in any letter case; or has 24 characters in a row that
 * look like a token of whatever kind.
 *
 * Of a secret of 8 characters or more, any part of 8 counts, or of 20 where it looks like ordinary words. A shorter
 * secret, such as the code "code", counts as a word of its own only. Takes time in proportion to the text and the secrets.
 */
export function repeatsSecret(text: string, secrets: readonly string[]): boolean {
  if (text.match(TOKENS)?.some((run) => /\d/.test(run))) return true;
  const decoded = decodePercent(text).toLowerCase();
  const pieces = piecesOf(decoded, PIECE);
  const parts = piecesOf(decoded, PART);
  const longParts = piecesOf(decoded, PART_LIKE_WORDS);

  const isRepeated = (spelling: string) => {
    const lower = spelling.toLowerCase();
    if (spelling.length < PART) return hasWord(decoded, lower);
    if (decoded.includes(lower)) return true;
    for (let piece = 0; piece + PIECE <= lower.length; piece += STEP) {
      if (!pieces.has(lower.slice(piece, piece + PIECE))) continue;
      for (let start = Math.max(0, piece - STEP + 1); start <= piece; start += 1) {
        const isPart = parts.has(lower.slice(start, start + PART));
        if (isPart && UNLIKE_WORDS.test(spelling.slice(start, start + PART))) return true;
        if (isPart && longParts.has(lower.slice(start, start + PART_LIKE_WORDS))) return true;
      }
    }
    return false;
  };
  return secrets.some((secret) => spellingsOf(secret).some(isRepeated));
}

/** A secret as it is, in hex, and in base64 and base64url. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const spellings = [decodePercent(secret), bytes.toString('hex')];
  // A character of base64 has 6 bits. Where other text comes before and after, those at the ends have bits of both.
  for (const before of secret.length < PART ? [0] : [0, 1, 2]) {
    const [start, end] = [Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)];
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = padded.toString(encoding).replace(/=+$/, '');
      spellings.push(decodePercent(secret.length < PART ? text : text.slice(start, end)));
    }
  }
  return spellings.filter((spelling) => spelling !== '');
}

/** The UTF-8 bytes of a text, one a character, with percent-encoding undone twice, and `+` read as a space. */
function decodePercent(text: string): string {
  let decoded = Buffer.from(text).toString('latin1');
  for (let times = 0; times < 2; times += 1) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return decoded.replaceAll('+', ' ');
}

/** All pieces of a length in a text. */
function piecesOf(text: string, length: number): Set<string> {
  const pieces = new Set<string>();
  for (let end = length; end <= text.length; end += 1) pieces.add(text.slice(end - length, end));
  return pieces;
}

function hasWord(text: string, word: string): boolean {
  for (let start = text.indexOf(word); start >= 0; start = text.indexOf(word, start + 1)) {
    const around = text.charAt(start - 1) + text.charAt(start + word.length);
    if (!/[\w-]/.test(around)) return true;
  }
  return false;
}
