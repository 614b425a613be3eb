import type { ServiceName } from './native-stack.ts';

/** The images that test containers run: those of docker-compose.yml. */
export const IMAGES: Readonly<Record<ServiceName, string>> = {
  kafka: 'apache/kafka:4.3.1',
  mongodb: 'mongo:8.0.21',
  schemaRegistry: 'apicurio/apicurio-registry:3.3.3',
};
