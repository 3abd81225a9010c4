/** The bounds of everything that travels. Sizes are UTF-16 code units unless a name says bytes. */
export const limits = {
  userIdMax: 64,
  /** `dm:<a>:<b>` with two of the longest user ids. */
  conversationIdMax: 132,
  usernameMin: 3,
  usernameMax: 32,
  displayNameMax: 80,
  passwordMin: 8,
  passwordMax: 256,
  /** 4,000 code units are at most 12,000 bytes of UTF-8, within the 16 KiB that a message may take. */
  textMax: 4_000,
  clientMessageIdMax: 64,
  /** Former texts of a message that are kept: the first and the newest. */
  formerTextsMax: 50,
  deviceNameMax: 100,
  pageDefault: 50,
  pageMax: 100,
  /** All texts of a page in bytes of JSON, unless it is a single one: a link of 30 kB/s takes such a page within the SDK's time-out. */
  pageTextMaxBytes: 64 * 1024,
  receiptsPerCall: 100,
  statusFilterMax: 500,
  statusesPerEvent: 500,
} as const
