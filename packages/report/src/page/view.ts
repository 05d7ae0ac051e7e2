/** What is chosen on the page, and who must be drawn again when it changes. */
import type { PublishedModel, ReportModel, RunModel, SettingValues } from '../model.js';

/** A part of the page: an element that can be drawn again, for a choice or another width. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  readonly draw: () => void;
}

/** A run or a published row, as a row of a table or chart. */
export interface Row {
  readonly label: string;
  readonly values: SettingValues | undefined;
  readonly rankDistance: number | null;
  readonly run?: RunModel;
  readonly published?: PublishedModel;
}

/** The choices that several sections share. */
export class View {
  readonly model: ReportModel;
  readonly tasks: readonly string[];
  task: string;
  measure = 'mAP';
  readonly chosenPublished = new Set<PublishedModel>();
  readonly #listeners: (() => void)[] = [];

  constructor(model: ReportModel) {
    this.model = model;
    this.tasks = [...new Set(model.runs.map(({ task }) => task))];
    this.task = this.tasks[0] ?? '';
  }

  /** Runs of the chosen benchmark. */
  get runs(): readonly RunModel[] {
    return this.model.runs.filter(({ task }) => task === this.task);
  }

  /** Published rows of the chosen benchmark. */
  get published(): readonly PublishedModel[] {
    return this.model.published.filter(({ task }) => task === this.task);
  }

  /** Measures that some run of the benchmark has. */
  get measures(): string[] {
    return [...new Set(this.runs.flatMap(({ measures }) => Object.keys(measures)))];
  }

  /** Runs, then the published rows chosen; those only know mAP. */
  get rows(): readonly Row[] {
    const own = this.runs.map(
      (run): Row => ({
        label: run.label,
        values: run.measures[this.measure],
        rankDistance: run.rankDistance,
        run,
      }),
    );
    const others = this.published
      .filter((row) => this.chosenPublished.has(row))
      .map(
        (row): Row => ({
          label: row.label,
          values: this.measure === 'mAP' ? row.map : undefined,
          rankDistance: row.rankDistance,
          published: row,
        }),
      );
    return [...own, ...others];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Call after a change of task, measure or published rows. */
  changed(): void {
    if (!this.measures.includes(this.measure)) this.measure = 'mAP';
    for (const listener of this.#listeners) listener();
  }
}
