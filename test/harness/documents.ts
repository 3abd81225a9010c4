import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What people read, by its path in the repository. */
export const documents = async (): Promise<string[]> => {
  const pages = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
  return ['README.md', 'client-sdk/README.md', ...pages.map((name) => `docs/${name}`)]
}

export const readDocument = (path: string): Promise<string> => readFile(join(root, path), 'utf8')

/** The programs in a text: its fences of this language. */
export const programs = (markdown: string, language: string): string[] =>
  Array.from(markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')), ([, code = '']) => code)

const withoutFences = (markdown: string) => markdown.replace(/^```.*?^```$/gms, '')

/** Where a text links to, other pages of the web left out. */
export const localLinks = (markdown: string): string[] =>
  Array.from(withoutFences(markdown).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target).filter(
    (target) => !/^https?:/.test(target),
  )

/** The anchors of its headings, as GitHub makes them. */
export const anchors = (markdown: string): string[] =>
  Array.from(withoutFences(markdown).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
