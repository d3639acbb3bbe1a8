import type { Recipe } from '../recipe.js';
import { hotReplaced } from '../steps.js';
import { NODE_24 } from './node.js';

export const angular: Recipe = {
  name: 'angular',
  title: 'Angular',
  version: '22.2.7',
  packages: {
    npm: {
      ...NODE_24,
      '@angular/build': '22.2.7',
      '@angular/cli': '22.2.7',
      '@angular/common': '22.2.6',
      '@angular/compiler': '22.2.6',
      '@angular/compiler-cli': '22.2.6',
      '@angular/core': '22.2.6',
      '@angular/platform-browser': '22.2.6',
      rxjs: '7.8.2',
      tslib: '2.9.1',
      typescript: '6.0.3',
    },
  },
  files: {
    'angular.json': JSON.stringify({
      version: 1,
      projects: {
        app: {
          projectType: 'application',
          root: '',
          sourceRoot: 'src',
          architect: {
            build: {
              builder: '@angular/build:application',
              options: { browser: 'src/main.ts', index: 'src/index.html', tsConfig: 'tsconfig.json' },
              configurations: { development: { optimization: false, sourceMap: true } },
            },
            serve: {
              builder: '@angular/build:dev-server',
              options: { buildTarget: 'app:build:development' },
            },
          },
        },
      },
    }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: { target: 'es2022', module: 'preserve', strict: true, skipLibCheck: true },
      files: ['src/main.ts'],
    }),
    'src/index.html': `<!doctype html><html lang="en"><head><base href="/" /></head><body><app-root></app-root></body></html>\n`,
    'src/app.html': `<h1>greeting: first</h1>\n`,
    'src/app.ts': `import { Component } from '@angular/core';
@Component({ selector: 'app-root', templateUrl: './app.html' })
export class App {}
`,
    'src/main.ts': `import { bootstrapApplication } from '@angular/platform-browser';
import { App } from './app';
bootstrapApplication(App).catch((error) => console.error(error));
`,
  },
  start: 'npx ng serve',
  ports: [4200],
  tried: 'HMR of a template',
  async use(visit) {
    await hotReplaced(visit, 'src/app.html');
  },
};
