import type { Recipe } from '../recipe.js';
import { angular } from './angular.js';
import { astro } from './astro.js';
import { bun } from './bun.js';
import { codeServer } from './code-server.js';
import { django } from './django.js';
import { fastapi } from './fastapi.js';
import { flaskSocketio } from './flask-socketio.js';
import { git } from './git.js';
import { gradio } from './gradio.js';
import { httpServer } from './http-server.js';
import { jupyterlab } from './jupyterlab.js';
import { marimo } from './marimo.js';
import { mcp } from './mcp.js';
import { next } from './next.js';
import { novnc } from './novnc.js';
import { nuxt } from './nuxt.js';
import { pageAndApi, pageAndApiByLink } from './page-and-api.js';
import { rails } from './rails.js';
import { storybook } from './storybook.js';
import { streamlit } from './streamlit.js';
import { svelteKit, svelteKitPreview } from './svelte-kit.js';
import { tensorboard } from './tensorboard.js';
import { vite } from './vite.js';
import { webpack } from './webpack.js';
import { wetty } from './wetty.js';

/** In the order of the table. */
export const RECIPES: readonly Recipe[] = [
  jupyterlab,
  next,
  vite,
  streamlit,
  django,
  flaskSocketio,
  rails,
  svelteKit,
  svelteKitPreview,
  astro,
  fastapi,
  gradio,
  nuxt,
  angular,
  webpack,
  storybook,
  bun,
  marimo,
  tensorboard,
  codeServer,
  wetty,
  novnc,
  httpServer,
  pageAndApi,
  pageAndApiByLink,
  mcp,
  git,
];
