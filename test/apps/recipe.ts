import type { Page } from 'playwright-core';
import type { RunningApp } from './running-app.js';

/** What an application is installed from; every version is exact. */
export interface Packages {
  /** Of npm: name -> version. `node` is the Node that the application then runs on. */
  readonly npm?: Readonly<Record<string, string>>;
  /** Of PyPI: name -> version, into a virtual environment. */
  readonly pypi?: Readonly<Record<string, string>>;
  /** Of Debian, with the program that each brings: `{ novnc: '/usr/share/novnc/vnc.html' }`. */
  readonly debian?: Readonly<Record<string, string>>;
}

/** How one application is installed, started and used. */
export interface Recipe {
  /** As in `--only`, e.g. `next`. */
  readonly name: string;
  /** As in the table, e.g. `Next.js`. */
  readonly title: string;
  /** As in the table; the version that is installed. */
  readonly version: string;
  readonly packages: Packages;
  /** Written anew at each start: path -> text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shell commands that run once the files are there, e.g. a build or a migration; not shown. */
  readonly prepare?: string;
  /** The shell command, as people type it. */
  readonly start: string;
  /** Where the application listens by default; the first is the one that is opened. */
  readonly ports: readonly [number, ...number[]];
  /** How a visitor comes in: by a link (the default), to public ports, or as a program with the key. */
  readonly access?: 'link' | 'public' | 'key';
  /** True for those that `--small` runs. */
  readonly isSmall?: boolean;
  /** In words, what `use` does, for the table: `HMR, a server action`. */
  readonly tried: string;
  /** For the table: what somebody who runs it should know. */
  readonly note?: string;
  /** Uses it as a person does. @throws where something does not work */
  use(visit: Visit): Promise<void>;
}

/** One way to an application: directly on localhost, or from outside through the control plane. */
export interface Visit {
  readonly app: RunningApp;
  /** A person's browser, without cookies; it has been let in and shows the application, unless `access` is `key`. */
  readonly page: Page;
  /** Different for each visit, for what is typed and saved. */
  readonly word: string;
  /** Goes to a path of the application, e.g. `/admin/`. */
  open(path: string): Promise<void>;
  /** How a program reaches it. */
  readonly program: ProgramAccess;
}

export interface ProgramAccess {
  /** Without a slash at its end: `http://localhost:8000`, `https://8000-cl-….example.test:41000`. */
  readonly url: string;
  /** Name -> value; the API key, or nothing. */
  readonly headers: Readonly<Record<string, string>>;
  /** PEM file of the authority that is to be trusted. */
  readonly caFile: string;
}
