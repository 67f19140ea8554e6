/**
 * Code blocks of the documents that no test of this repository runs as written, with the reason. By page, and by section
 * and language. `test/unit/project/snippets.test.ts` parses them and checks their commands of annex.
 */
export const BLOCKS_NOT_RUN: Record<string, Record<string, string>> = {
  'README.md': {
    'Contributing: sh': 'npm test runs the tests; test/e2e/examples runs the demo',
  },
  'docs/fleets.md': {
    'Features as an image: sh': 'docs/cli.md runs `annex bake --oci`',
    'Features as an image: sh 2':
      'needs a registry of images and a container; test:fleet pushes, pulls and mounts an image',
    'Features as one file: sh':
      'needs a loop device; test/fleet/file-image.test.ts takes its options',
    'Jobs and init containers: yaml':
      'needs a cluster; manifests.test.ts of the example checks it, and job.test.ts runs its command',
    'Jobs and init containers: yaml 2':
      'needs a cluster; manifests.test.ts checks it, and test:image runs one with podman',
    'Withdrawing a release: yaml':
      'needs a cluster; test/fleet/rollout-withdrawn.test.ts mounts and replaces such a file',
    'Withdrawing a release: sh': 'test/fleet/rollout-withdrawn.test.ts runs it in a container',
  },
  'docs/images.md': {
    'Rootless podman: sh': 'needs an image of the example; test:image runs it with podman',
    'Air-gapped: sh':
      'needs docker and the base image; test:image bakes with BAKE and runs without a network',
    'An overview: sh': 'needs a running container; docs/cli.md runs `annex report`',
    'With s6-overlay: dockerfile': 'needs s6-overlay, which is downloaded from GitHub',
    'With s6-overlay: sh':
      'needs with-contenv of s6-overlay; tests of the example check the services by the rules of s6',
    'With s6-overlay: sh 2':
      'needs with-contenv of s6-overlay; tests of the example check the services by the rules of s6',
  },
  'docs/lock.md': {
    'Edits by npm and by update bots: json': 'needs Renovate, whose own validator accepts it',
    'Edits by npm and by update bots: yaml': 'needs Dependabot, which runs at GitHub alone',
  },
  'docs/typescript-bundlers-tests.md': {
    'Next.js: js': 'needs Next.js; test:hosts builds an application with these settings',
  },
};
