/** `carrel tcia get`: a data set of TCIA, a package or a part of it, to verified files. */
import { Option } from 'commander';
import { PACKAGE_LAYOUT, TRANSPORTS } from '../../tcia/index.ts';
import { type CommandSpec, collect, progressOption } from '../command.ts';
import { addCatalogueFlags } from '../tcia-catalogue.ts';

/** `carrel tcia get`. */
export const getSpec: CommandSpec = {
  name: 'get',
  summary: 'fetch a data set, a package or files of it; verify; write carrel.lock.tcia.json',
  examples: [
    'carrel tcia get DLBCL-Morphology -o data',
    "carrel tcia get 'https://faspex.cancerimagingarchive.net/aspera/faspex/public/package?context=…' -o data",
    'carrel tcia get HER2-tumor-ROIs Yale_trastuzumab_response_cohort/Annotations -o data',
    'carrel tcia get 10.7937/NVA3-N783 Yale_HER2_cohort/Annotations/Her2Pos_Case_01.xml Yale_HER2_cohort/SVS/Her2Pos_Case_01.svs',
    "carrel tcia get DLBCL-Morphology --include '*.xml' --max-size 2GB --dry-run",
    'carrel tcia get DLBCL-Morphology --prefer idc -o data',
  ],
  exitCodes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 130],
  define(command) {
    command
      .argument(
        '<what...>',
        'name, DOI or page of a data set, or a Faspex link in any form; then files and folders of its package',
      )
      .addOption(new Option('-o, --output <dir>', 'destination').default('.'))
      .addOption(
        new Option(
          '--download <choice>',
          'of several downloads: id, kind or words of the title; all (repeatable)',
        ).argParser(collect),
      )
      .addOption(
        new Option(
          '--path <path>',
          'a file or folder of the package, where it could be taken for a name (repeatable)',
        ).argParser(collect),
      )
      .addOption(
        new Option(
          '--include <pattern>',
          "only files that match: '*.svs' on any level, 'SVS/**/*.svs' from the root (repeatable)",
        ).argParser(collect),
      )
      .addOption(
        new Option('--exclude <pattern>', 'no files that match; wins over --include (repeatable)').argParser(
          collect,
        ),
      )
      .addOption(
        new Option('--kind <ending>', 'only files with this ending: svs, xml (repeatable)').argParser(
          collect,
        ),
      )
      .addOption(new Option('--min-size <bytes>', 'only files of at least so many bytes: 10MB'))
      .addOption(new Option('--max-size <bytes>', 'only files of at most so many bytes: 2GB'))
      .addOption(
        new Option(
          '--layout <template>',
          `names of files, of {package}, {path}, {dir}, {file}, {collection}, {version}; default ${PACKAGE_LAYOUT}`,
        ),
      )
      .addOption(
        new Option(
          '--names <policy>',
          'names that hurt a file system: strict refuses those files, escape makes the names safe',
        )
          .choices(['strict', 'escape'])
          .default('strict'),
      )
      .addOption(
        new Option('--transport <how>', 'auto: an HTTP gateway where the server has one, else ascp')
          .choices([...TRANSPORTS])
          .default('auto'),
      )
      .addOption(new Option('--ascp <path>', "IBM's ascp, or the folder that holds it"))
      .addOption(new Option('--ssh-key <file>', 'client key of ascp, where it is not found by itself'))
      .addOption(new Option('--rate <mbit>', 'at most so many megabits per second'))
      .addOption(
        new Option(
          '--prefer <where>',
          'idc: take images from the archive that is installed, where it has them',
        )
          .choices(['tcia', 'idc'])
          .default('tcia'),
      )
      .addOption(
        new Option('--allow-partial', 'fetch what is listed where the server gives a list that is short'),
      )
      .addOption(
        new Option(
          '--recheck',
          'read files that are here already, instead of believing what an earlier run proved; what is wrong comes again',
        ),
      )
      .addOption(new Option('--dry-run', 'show what would come, with sizes'))
      .addOption(progressOption());
    addCatalogueFlags(command);
  },
  async run(run, words, flags) {
    const { getFromTcia } = await import('../tcia-get.ts');
    const { spec } = await import('./get.ts');
    return await getFromTcia(run, words, flags, spec);
  },
};
