/** Somebody's first letter, in a colour of her own; with a dot while she is online. */
export const Avatar = ({ name, isOnline = false }: { name: string; isOnline?: boolean }) => (
  <span className="avatar" data-hue={hueOf(name)} data-online={isOnline || undefined} aria-hidden="true">
    {[...name][0]?.toUpperCase()}
  </span>
)

/** The same for the same name, everywhere. */
const hueOf = (name: string): number => {
  let hash = 0
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x9e3779b1)
  return hash >>> 30
}
