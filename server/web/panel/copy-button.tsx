import { useEffect, useState } from 'react'

/** Copies a text and says so. Where the browser gives no clipboard, as on plain HTTP from afar, it says that instead. */
export const CopyButton = ({ text, label, what }: { text: () => string; label: string; what: string }) => {
  const [said, setSaid] = useState<string | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), 2_000)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      setSaid('Copied')
    } catch {
      setSaid('The browser allows no copying here')
    }
  }
  return (
    <button type="button" className="quiet small copy" onClick={copy}>
      <span aria-live="polite">{said ?? label}</span>
      {said === null && <span className="unseen"> {what}</span>}
    </button>
  )
}
