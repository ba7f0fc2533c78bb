/** Scanners and programs of the sample. The makers are invented; two carry the oddities of real makers' names. */
import type { Equipment } from './types.ts';

/** Equipment by what it makes. */
export const EQUIPMENT = {
  ct: [
    { manufacturer: 'NORTHWIND MEDICAL', model: 'Helix 64', software: 'hx 4.2' },
    { manufacturer: 'Contoso Imaging, Inc.', model: 'Aperture "Plus" CT', software: 'VA41A' },
    { manufacturer: 'Fabrikam', model: 'Spiral One', software: '3.1.7' },
  ],
  mr: [
    { manufacturer: 'NORTHWIND MEDICAL', model: 'Magnus 3T', software: 'mr B17' },
    { manufacturer: 'Contoso Imaging, Inc.', model: 'Larmor', software: 'R5.4' },
  ],
  pet: [{ manufacturer: '"Fabrikam Healthcare"', model: 'Positra 600', software: '60.1' }],
  slide: [{ manufacturer: 'Tailspin Optics', model: 'SlideLoft 20x', software: '12.0.16' }],
  program: [{ manufacturer: 'Carrel', model: 'Sample generator', software: '1.0' }],
} satisfies Record<string, [Equipment, ...Equipment[]]>;
