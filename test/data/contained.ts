/** Requests of a file of an entry and of one of the application, in every spelling, with their expected results. */

/** Names that are planted in every node_modules above an entry, where Node searches for them. */
export const planted: string[] = [
  'absent',
  '@scope/absent',
  'bun:sqlite',
  'a%b',
  '@x',
  '.hid',
  'a b',
  'file:x',
];

/** Requests for a name in a file of the entry; `N` is the name. */
const ways = [
  'require(N)',
  'module.require(N)',
  'require.resolve(N)',
  'createRequire(__filename)(N)',
  'createRequire(__dirname + "/").resolve(N)',
  'require.resolve(N, { paths: [__dirname] })',
  'require.resolve(N, { paths: [__filename + "/..", __dirname + "/deeper"] })',
];

const missing = 'MODULE_NOT_FOUND';
const notImported = 'ERR_MODULE_NOT_FOUND';

/** Expressions in the entry's file and their results: the marker of a file, or the code of an error. */
export const asked: Record<string, string> = {
  ...Object.fromEntries(
    planted.flatMap((name) =>
      ways.map((way) => [way.replace('N', JSON.stringify(name)), missing] as const),
    ),
  ),
  'import("absent")': notImported,
  'import("@scope/absent")': notImported,
  'import("a b")': notImported,
  'require("#absent")': missing,
  'import("#absent")': notImported,
  'require("#linked")': missing,
  'import("#linked")': notImported,
  // A path in the entry that is a link out of it.
  'require("./linked.js")': missing,
  'require("./linked")': missing,
  'require("./linked-dir/a.cjs")': missing,
  'require("./linked-dir")': missing,
  'require(join(__dirname, "linked.js"))': missing,
  'require(__dirname + "/../lib/./linked.js")': missing,
  'require(join(__dirname, "linked-dir", "a"))': missing,
  'require.resolve("./linked.js", { paths: [__dirname] })': missing,
  'import("./linked.js")': notImported,
  'import("./linked-dir/a.cjs?x#y")': notImported,
  'import(join(__dirname, "linked.js"))': notImported,
  'import(pathToFileURL(join(__dirname, "linked.js")))': notImported,
  'import(String(pathToFileURL(join(__dirname, "linked-dir/a.cjs"))).replace("lib", "%6Cib"))':
    notImported,
  'import("FILE://" + join(__dirname, "linked.js"))': notImported,
  'require("helper/linked.js")': missing,
  'require("../../helper/linked.js")': missing,
  // A path in the store outside of every entry.
  'require("../../../../outside.cjs")': missing,
  'require(join(__dirname, "../../../../outside.cjs"))': missing,
  'import("../../../../outside.cjs")': notImported,
  'import(pathToFileURL(join(__dirname, "../../../../outside.cjs")))': notImported,
  // Packages of the entry, and builtins.
  'require("./inside")': 'inside',
  'require(join(__dirname, "inside.js"))': 'inside',
  'import(pathToFileURL(join(__dirname, "inside.js")))': 'inside',
  'import("./inside.js?x")': 'inside',
  'require("#inside")': 'inside',
  'require("helper")': 'helper',
  'require("../../helper")': 'helper',
  'require(require.resolve("helper", { paths: [__dirname] }))': 'helper',
  'require("./gone")': missing,
  'import("./gone.cjs")': notImported,
  'require("node:path").sep': '/',
  'require("path").sep': '/',
  'import("data:text/javascript,export const marker = 1")': '1',
  'import("http://127.0.0.1/x")': 'ERR_UNSUPPORTED_ESM_URL_SCHEME',
  'import("node:absent")': 'ERR_UNKNOWN_BUILTIN_MODULE',
  // A path outside of every store as written is left to the package.
  'require(join(process.cwd(), "config.cjs"))': 'config',
  'require(relative(__dirname, join(process.cwd(), "config.cjs")))': 'config',
  'import(pathToFileURL(join(process.cwd(), "config.cjs")))': 'config',
  'require(require.resolve("./config.cjs", { paths: [process.cwd()] }))': 'config',
  'require(require.resolve("core-only", { paths: [process.cwd()] }))': 'core',
  'require(require.resolve("core-only", { paths: [__dirname, process.cwd()] }))': 'core',
  'require(join(process.cwd(), "node_modules/core-only"))': 'core',
  // A shared package is only the copy of core: no other folder completes it.
  'require("shared")': 'core',
  'import("shared")': 'core',
  'require("#shared")': 'core',
  'require("shared/lib/extra.js")': 'core',
  'require(require.resolve("shared", { paths: [__dirname] }))': 'core',
  'require("shared/more.cjs")': missing,
  'import("shared/more.cjs")': notImported,
  'require("../../shared/lib/extra.js")': 'core',
  'require("../../core-only/lib/extra.js")': missing,
  'require("shared/package.json").name': 'shared',
  // The manifest contains this only after the first use of the entry.
  'require("core-only")': missing,
  'import("core-only")': notImported,
};

/** The same for a file of the core; `LIB` is the directory of that file in the entry. */
export const askedInCore: Record<string, string> = {
  'require(join(LIB, "linked.js"))': missing,
  'import(join(LIB, "linked.js"))': notImported,
  'import(pathToFileURL(join(LIB, "linked.js")))': notImported,
  // In every spelling of the path.
  'require("./" + relative(__dirname, LIB) + "/linked.js")': missing,
  'require(__dirname + "/../app/./" + relative(__dirname, LIB) + "/linked")': missing,
  'require("//" + LIB + "//./linked.js")': missing,
  'import("./" + relative(__dirname, LIB) + "/linked.js?x")': notImported,
  'import("/./" + LIB + "/linked.js")': notImported,
  'import(" file://" + LIB + "/linked.js")': notImported,
  'import("file://" + LIB.replace("v1", "%761") + "/x/%2e%2e/linked.js")': notImported,
  'import("./" + relative(__dirname, LIB).replaceAll("/", String.fromCharCode(92)) + "/linked.js")':
    notImported,
  'require("./" + relative(__dirname, LIB) + "/inside.js")': 'inside',
  'import("./" + relative(__dirname, LIB) + "/inside.js")': 'inside',
  'import(" file://" + LIB.replace("v1", "%761") + "/inside.js")': 'inside',
  'require(join(LIB, "inside.js"))': 'inside',
  'import(pathToFileURL(join(LIB, "inside.js")))': 'inside',
  'createRequire(LIB + "/")("absent")': missing,
  'createRequire(LIB + "/")("./linked.js")': missing,
  'createRequire(LIB + "/")("helper")': 'helper',
  'createRequire(pathToFileURL(LIB + "/x.js"))("a%b")': missing,
  'require.resolve("absent", { paths: [LIB] })': missing,
  'require.resolve("bun:sqlite", { paths: [LIB] })': missing,
  'require(require.resolve("helper", { paths: [LIB] }))': 'helper',
  'require(require.resolve("shared", { paths: [LIB] }))': 'core',
  'require(require.resolve("core-only", { paths: [LIB, process.cwd()] }))': 'core',
  'require(require.resolve("./config.cjs", { paths: ["."] }))': 'config',
  'require.resolve("alpha", { paths: [process.cwd()] })': missing,
};
