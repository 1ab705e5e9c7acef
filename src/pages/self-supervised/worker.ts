import '../../compile/program.ts'
import { type Host, serve } from '../../web/serve.ts'
import { type EmbeddingSettings, embeddingProgram } from './embedding.ts'
import { type LandscapeSettings, landscapeProgram } from './landscape.ts'

serve<
  EmbeddingSettings | LandscapeSettings,
  unknown,
  Awaited<ReturnType<typeof embeddingProgram | typeof landscapeProgram>>['requests']
>(async (settings, host: Host) =>
  settings.kind === 'embedding' ? embeddingProgram(settings, host) : landscapeProgram(settings, host),
)
