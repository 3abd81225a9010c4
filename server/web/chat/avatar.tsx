/** Somebody's first letter, in a colour of her own; with a dot while she is online. */
export const Avatar = ({ id, name, isOnline = false }: { id: string; name: string; isOnline?: boolean }) => (
  <span className="avatar" data-hue={hueOf(id)} data-online={isOnline || undefined} aria-hidden="true">
    {[...name][0]?.toUpperCase()}
  </span>
)

/** The same for the same person, everywhere, whatever she is called. */
const hueOf = (id: string): number => {
  let hash = 0
  for (const letter of id) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x9e3779b1)
  return hash >>> 30
}
