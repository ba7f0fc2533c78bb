/** The catalogue, for questions that only it can answer. */
import type { Catalog } from '../catalog/index.ts';
import { CarrelError } from '../errors.ts';
import type { Tools } from './question.ts';

/** The catalogue; throws the reason why there is none. */
export function requireCatalog(tools: Tools): Catalog {
  if (tools.catalog !== undefined) return tools.catalog;
  throw (
    tools.catalogError ??
    new CarrelError('not-found', 'no catalogue is installed', { next: 'carrel catalog update' })
  );
}
