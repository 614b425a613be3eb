import { hostname, userInfo } from 'node:os';

/** Whoever runs this, as far as the machine knows; a container may run it as a user without a name. */
export function whoami(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    user = `uid ${process.getuid?.() ?? 'unknown'}`;
  }
  return `${user}@${hostname()}`;
}
