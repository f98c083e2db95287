import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { packageRoot } from '../root.js';
import { resolvers } from './resolvers.js';

/** The schema of schema/*.graphql with its resolvers. */
export function loadSchema(): GraphQLSchema {
  const directory = join(packageRoot(), 'schema');
  const files = readdirSync(directory).filter((file) => file.endsWith('.graphql'));
  const typeDefs = files.sort().map((file) => readFileSync(join(directory, file), 'utf8'));
  const schema = makeExecutableSchema({
    typeDefs,
    resolvers,
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
  // A scalar with code of its own keeps its description only in the syntax tree.
  for (const type of Object.values(schema.getTypeMap())) type.description ??= type.astNode?.description?.value;
  return schema;
}
