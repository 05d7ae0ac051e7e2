/** `synglot fetch`: the files of a benchmark from the Hugging Face hub, laid out as `synglot eval` reads them. */
import { didYouMean } from '@synglot/data';
import { type DatasetRequest, fetchDatasets, ModelError } from '@synglot/models';
import { Command } from 'commander';
import { hubProgress } from '../model-progress.js';
import { languageList } from './options.js';

interface FetchOptions {
  readonly output: string;
  readonly langs?: readonly string[];
  readonly split?: string;
}

/** What a benchmark takes from which repositories; names of files are the publishers'. */
const benchmarks: Readonly<Record<string, (options: FetchOptions, name: string) => DatasetRequest[]>> = {
  miracl: ({ langs, split }) => [
    {
      repository: 'miracl/miracl',
      place: (path) => {
        const match = /(?:topics|qrels)\.miracl-v[\d.]+-([a-z]+)-([\w-]+)\.tsv$/.exec(path);
        return match && among(match[1]!, langs) && match[2] === (split ?? 'dev') ? path : undefined;
      },
    },
    {
      repository: 'miracl/miracl-corpus',
      place: (path) => {
        const match = /^miracl-corpus-v[\d.]+-([a-z]+)\/docs-\d+\.jsonl\.gz$/.exec(path);
        return match && among(match[1]!, langs) ? path : undefined;
      },
    },
  ],
  beir: (_, name) => [
    {
      repository: `BeIR/${name}`,
      place: (path) => (/^(corpus|queries)\.jsonl(\.gz)?$/.test(path) ? path : undefined),
    },
    {
      repository: `BeIR/${name}-qrels`,
      place: (path) => (/^\w+\.tsv$/.test(path) ? `qrels/${path}` : undefined),
    },
  ],
};

function among(lang: string, langs: readonly string[] | undefined): boolean {
  return langs === undefined || langs.includes(lang);
}

export function fetchCommand(): Command {
  return new Command('fetch')
    .description('the files of a benchmark from the Hugging Face hub, for synglot eval --data')
    .argument(
      '<benchmark>',
      "miracl, beir/NAME as in beir/scifact, or any dataset repository 'owner/name' as it is",
    )
    .requiredOption('--output <folder>', 'where to put them; what is there already is kept')
    .option('--langs <list>', 'miracl: languages, as in sw,yo; default: all', languageList)
    .option('--split <name>', 'miracl: queries and judgments; default: dev')
    .addHelpText(
      'after',
      '\nHF_ENDPOINT names another hub, HF_TOKEN opens repositories that ask for consent.',
    )
    .action(async (benchmark: string, options: FetchOptions) => {
      const { fetched, kept } = await fetchDatasets(requestsOf(benchmark, options), options.output, {
        onProgress: hubProgress(),
      });
      console.log(
        `${options.output}: ${fetched.length} files fetched${kept.length > 0 ? `, ${kept.length} were there` : ''}`,
      );
    });
}

function requestsOf(benchmark: string, options: FetchOptions): DatasetRequest[] {
  const [first = '', name] = benchmark.split('/');
  const known = Object.keys(benchmarks);
  const make = Object.hasOwn(benchmarks, first) ? benchmarks[first] : undefined;
  const idle = (['langs', 'split'] as const).find((option) => options[option] !== undefined);
  if (idle !== undefined && benchmark !== 'miracl') {
    throw new ModelError('INPUT_DATA', `--${idle} is for miracl; of ${benchmark} all files are fetched`);
  }
  if (make && (first === 'beir') === (name !== undefined)) return make(options, name ?? '');
  if (name !== undefined && !make && !benchmark.slice(first.length + 1).includes('/')) {
    return [{ repository: benchmark, place: (path) => path }];
  }
  throw new ModelError(
    'INPUT_DATA',
    `unknown benchmark '${benchmark}'${didYouMean(benchmark, known)}; give miracl, beir/NAME, or a dataset repository owner/name`,
  );
}
