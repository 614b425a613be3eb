import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireProgram, runProgram, ServicesUnavailable } from './native-tools.ts';

export interface MavenArtifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

// Two Mavens at once may write the same plugin into the shared local repository.
let lastRun: Promise<unknown> = Promise.resolve();

/** The runtime jars of `artifacts` and of what they depend on, into `folder`. */
export async function copyJars(artifacts: readonly MavenArtifact[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pom = join(folder, 'pom.xml');
  await writeFile(pom, projectWith(artifacts));
  const copy = ['-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  await maven(artifacts, folder, copy);
  await rm(pom);
}

/** One archive without what it depends on, unpacked into `folder`. */
export async function unpackArchive(
  archive: MavenArtifact & { readonly type: string; readonly classifier: string },
  folder: string,
): Promise<void> {
  const { group, artifact, version, type, classifier } = archive;
  const coordinates = [group, artifact, version, type, classifier].join(':');
  await maven([archive], folder, ['dependency:unpack', `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`]);
}

async function maven(artifacts: readonly MavenArtifact[], folder: string, goal: readonly string[]): Promise<void> {
  const mvn = await requireProgram('mvn', 'apt-get install maven, or `brew install maven`');
  const options = ['--batch-mode', '--quiet', '--strict-checksums', '-Dstyle.color=never'];
  const run = lastRun.then(() => runProgram(mvn, [...options, ...goal], folder));
  lastRun = run.catch(() => undefined);
  await run.catch((error: unknown) => {
    const names = artifacts.map(({ artifact, version }) => `${artifact} ${version}`).join(', ');
    throw new ServicesUnavailable([`Maven could not fetch ${names}; is there a network? ${String(error)}`], error);
  });
}

function projectWith(artifacts: readonly MavenArtifact[]): string {
  const dependencies = artifacts.map(
    ({ group, artifact, version }) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>download</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join('\n')}
</dependencies>
</project>
`;
}
