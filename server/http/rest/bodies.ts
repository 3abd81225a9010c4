import type { z } from 'zod'
import { EditMessage } from '../../contract/index.ts'

/** What a body says where the path says the rest. */
export const EditText = EditMessage.omit({ messageId: true })
export type EditText = z.infer<typeof EditText>
