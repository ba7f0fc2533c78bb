/** `carrel get`: the main job. Names or a selection to verified files and a lock file. */
import { Option } from 'commander';
import { type CommandSpec, collect, progressOption } from '../command.ts';
import { getPackages, looksLikePackage } from '../get-packages.ts';
import { addNbiaFlags } from '../nbia-flags.ts';
import { addSelectionFlags } from '../selection-flags.ts';

/** `carrel get`. */
export const spec: CommandSpec = {
  name: 'get',
  summary: 'fetch and verify what is named; write carrel.lock.json',
  examples: [
    'carrel get 1.3.6.1.4.1.14519.5.2.1.7695.1700.153974929648969296590126728101 -o data',
    'carrel get --collection rider_pilot --modality CT --limit 5 -o data',
    "carrel get manifest.s5cmd 's3://idc-open-data/28621ba9-1aca-4aab-a2a1-f6d2c3e2ab19/*' -o data",
    'carrel get TCGA-BRCA.tcia -o data --layout descriptive',
    'carrel get data/carrel.lock.json -o again',
    'carrel get --collection nlst --reuse /data/idc -o data',
    'carrel get --collection rider_pilot --to tar -o - | tar -x -C data',
    'carrel get --collection nlst --part "$SLURM_ARRAY_TASK_ID/10" -o /shared/nlst',
    'carrel get --collection nlst --dry-run',
    "carrel get 'https://faspex.cancerimagingarchive.net/aspera/faspex/public/package?context=…' -o data",
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 130],
  define(command) {
    command
      .argument(
        '[what...]',
        'UIDs, UUIDs, URLs, collections, PatientIDs, DOIs, manifests, lock files, or - for stdin',
      )
      .addOption(new Option('-o, --output <dir>', 'destination').default('.'))
      .addOption(new Option('--dry-run', 'stop after the plan'))
      .addOption(new Option('--from <mirror>', 'auto, or a mirror by name: aws, gcs'))
      .addOption(
        new Option(
          '--layout <template>',
          'names of files, such as {collection_id}/{PatientID}/{file}; or idc, classic, descriptive',
        ),
      )
      .addOption(
        new Option(
          '--names <policy>',
          'names that hurt a file system: strict refuses them, escape makes them safe',
        )
          .choices(['strict', 'escape'])
          .default('strict'),
      )
      .addOption(new Option('--license-policy <policy>', 'any, commercial, or licences separated by commas'))
      .addOption(new Option('--verify <how>', 'full, size or none').choices(['full', 'size', 'none']))
      .addOption(new Option('--jobs <n>', 'files in flight, or auto'))
      .addOption(new Option('--bandwidth <rate>', 'at most so many bytes per second: 50M'))
      .addOption(progressOption())
      .addOption(
        new Option(
          '--reuse <dir>',
          'take bytes that stand in this folder instead of fetching them (repeatable)',
        ).argParser(collect),
      )
      .addOption(new Option('--no-reuse', 'fetch everything, look nowhere else on this machine'))
      .addOption(new Option('--reuse-links', 'hard links instead of copies, where files cannot share blocks'))
      .addOption(
        new Option(
          '--to <format>',
          'one archive instead of a folder, to -o FILE or -o -; interrupted, it begins anew',
        ).choices(['tar', 'zip']),
      )
      .addOption(
        new Option('--fetch-order <order>', 'what comes first: auto, small, large, or listed (as planned)')
          .choices(['auto', 'small', 'large', 'listed'])
          .default('auto'),
      )
      .addOption(new Option('--stop-after <amount>', 'stop after so many new files (100) or bytes (10GB)'))
      .addOption(
        new Option('--part <i/n>', 'only the i-th of n shares, whole series, balanced by bytes: 3/10'),
      )
      .addOption(
        new Option('--part-base <base>', 'number of the first share: 1 (1/10 to 10/10) or 0 (0/10 to 9/10)')
          .choices(['0', '1'])
          .default('1'),
      )
      .addOption(
        new Option(
          '--fsync <when>',
          'write bytes to the disk itself: at the end, with each file, or never',
        ).choices(['end', 'file', 'never']),
      )
      .addOption(new Option('--lock <file>', 'where to write the lock file'))
      .addOption(
        new Option(
          '--as <kind>',
          'what the names are: series, study, instance, patient, collection, analysis-result, uuid, url, path, doi, drs',
        ),
      )
      .addOption(new Option('--all', 'take everything that an ambiguous name stands for'))
      .addOption(new Option('--endpoint <url>', 'endpoint of buckets that are not the archive’s'));
    addNbiaFlags(command);
    addSelectionFlags(command);
  },
  async run(run, what, flags) {
    if (what.some(looksLikePackage)) return await getPackages(run, what, flags, spec);
    // What fetches is not loaded for a help text.
    const { getNamed } = await import('../get-named.ts');
    return await getNamed(run, what, flags);
  },
};
