import type { Page } from 'playwright-core'

/** Says what ran, and what the policy had to stop: neither may happen, since text is to stay text. */
export const watchForScripts = async (page: Page): Promise<string[]> => {
  const happened: string[] = []
  page.on('dialog', (dialog) => {
    happened.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.exposeFunction('pwned', () => happened.push('pwned'))
  await page.exposeFunction('tellOfBreach', (what: string) => happened.push(what))
  const script = () =>
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      (window as unknown as { tellOfBreach(what: string): void }).tellOfBreach(`${violatedDirective} ${blockedURI}`),
    )
  await page.addInitScript(script)
  await page.reload()
  return happened
}
