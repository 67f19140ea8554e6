/** Facts about the image in docker-compose.yml and kubernetes.yaml. */
import { parseYaml } from '../manifests.ts';

export type Value = string | number;

interface Compose {
  services: {
    gateway: {
      image?: string;
      ports?: string[];
      volumes?: string[];
      environment?: Record<string, string | null>;
    };
  };
}

/** Facts in docker-compose.yml; `user` is in a comment, for the variant without root. */
export function readCompose(text: string) {
  const [file] = parseYaml(text) as [Compose];
  const { image, ports = [], volumes = [], environment = {} } = file.services.gateway;
  const [, user, group] = /^ *# user: "(\d+):(\d+)"$/m.exec(text) ?? [];
  return {
    image,
    port: ports[0]?.split(':').at(-1),
    mount: volumes[0]?.split(':').at(-1),
    user: group === '0' ? user : undefined,
    variables: Object.keys(environment),
  };
}

interface Probe {
  httpGet?: { path?: string; port?: string };
}

interface Container {
  name: string;
  image?: string;
  command?: string[];
  ports?: { name?: string; containerPort?: number }[];
  volumeMounts?: { name: string; mountPath: string }[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
}

interface Objects {
  kind: string;
  spec: {
    ports?: { targetPort?: string }[];
    template?: {
      spec: {
        securityContext: { runAsUser?: number; runAsGroup?: number; fsGroup?: number };
        containers: Container[];
        initContainers: Container[];
        volumes: { name: string; persistentVolumeClaim?: object }[];
      };
    };
  };
}

/** Facts in the deployment and the service of kubernetes.yaml. */
export function readPod(text: string) {
  const objects = parseYaml(text) as Objects[];
  const pod = objects.find(({ kind }) => kind === 'Deployment')?.spec.template?.spec;
  const service = objects.find(({ kind }) => kind === 'Service');
  if (pod === undefined) throw new Error('kubernetes.yaml has no deployment');
  const { securityContext, volumes } = pod;
  const [gateway] = pod.containers;
  const all = [...pod.initContainers, ...pod.containers];
  const data = volumes.find((volume) => volume.persistentVolumeClaim !== undefined)?.name;
  const findMount = ({ volumeMounts = [] }: Container) =>
    volumeMounts.find(({ name }) => name === data)?.mountPath;
  const by = <T>(read: (container: Container) => T): Record<string, T> =>
    Object.fromEntries(all.map((one) => [`kubernetes.yaml, ${one.name}`, read(one)]));
  return {
    mounts: by(findMount),
    images: by(({ image }) => image),
    users: {
      'kubernetes.yaml, runAsUser': securityContext.runAsUser,
      'kubernetes.yaml, runAsGroup': securityContext.runAsGroup,
      'kubernetes.yaml, fsGroup': securityContext.fsGroup,
    },
    port: gateway?.ports?.[0]?.containerPort,
    portNames: {
      ports: gateway?.ports?.[0]?.name,
      liveness: gateway?.livenessProbe?.httpGet?.port,
      readiness: gateway?.readinessProbe?.httpGet?.port,
      service: service?.spec.ports?.[0]?.targetPort,
    },
    liveness: gateway?.livenessProbe?.httpGet?.path,
    readiness: gateway?.readinessProbe?.httpGet?.path,
  };
}
