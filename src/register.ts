/** `import 'annex/register'`: the loader for programs that take no flags. */
import { activate } from './hooks/activate.ts';

activate();
