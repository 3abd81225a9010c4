import { Fragment } from 'react'

/** Addresses in a text become links, all else stays text. Of the schemes only these: no other is safe to follow. */
const address = /(?:https?:\/\/|\bwww\.)[^\s<>"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi
/** At its end a sentence's own signs are not part of an address. */
const signs = /[.,;:!?)\]}]+$/

export const RichText = ({ text }: { text: string }) => {
  const parts: (string | { words: string; href: string })[] = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(address)) {
    const words = found.replace(signs, '')
    const href = hrefOf(words)
    if (!URL.canParse(href)) continue
    parts.push(text.slice(end, index), { words, href })
    end = index + words.length
  }
  parts.push(text.slice(end))
  return parts.map((part, i) =>
    typeof part === 'string' ? (
      part
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text keep their places
      <Fragment key={i}>
        <a href={part.href} target="_blank" rel="noopener noreferrer">
          {part.words}
        </a>
        <Whither {...part} />
      </Fragment>
    ),
  )
}

/** Where a link leads, if its words do not say so to everybody. */
const Whither = ({ words, href }: { words: string; href: string }) => {
  const { hostname, username, password, protocol } = new URL(href)
  const looksAsItIs = username + password === '' && words.toLowerCase().includes(hostname)
  return protocol === 'mailto:' || looksAsItIs ? null : <span className="whither"> ({hostname})</span>
}

const hrefOf = (words: string): string => {
  if (/^https?:/i.test(words)) return words
  return /^www\./i.test(words) ? `https://${words}` : `mailto:${words}`
}
