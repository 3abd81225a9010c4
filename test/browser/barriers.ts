import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

interface Findings {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } }

/** What axe finds that keeps somebody from using the page: wide and narrow, and in the dark what the colours change. */
export const barriers = async (page: Page): Promise<string[]> => {
  await page.evaluate(await axe)
  const found: string[] = []
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark'] as const) {
      // Without transitions, as those would be measured half-way.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const rules = colorScheme === 'dark' ? { runOnly: ['color-contrast'] } : {}
      const run = `axe.run(${JSON.stringify({ resultTypes: ['violations'], ...rules })})`
      const { violations } = (await page.evaluate(run)) as Findings
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue
        for (const node of nodes) found.push(`${size}, ${colorScheme}, ${id}: ${node.html}\n${node.failureSummary}`)
      }
    }
    const isTooWide = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    )
    if (isTooWide) found.push(`${size}: the page is wider than its window`)
  }
  await page.setViewportSize(sizes.wide)
  return found
}
