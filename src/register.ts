/** `import 'annex/register'`: the loader for programs that take no flags. A bundler includes both stages. */
import { openGate } from './gate/gate.ts';
import * as secondStage from './hooks/activate.ts';

openGate(() => secondStage);
