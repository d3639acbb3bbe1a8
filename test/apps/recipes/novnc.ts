import type { Recipe } from '../recipe.js';

export const novnc: Recipe = {
  name: 'novnc',
  title: 'noVNC',
  version: '1.3.0',
  packages: {
    debian: {
      novnc: '/usr/share/novnc/vnc.html',
      websockify: '/usr/bin/websockify',
      'tigervnc-standalone-server': '/usr/bin/Xtigervnc',
    },
  },
  prepare: 'rm -f /tmp/.X77-lock',
  start:
    'Xtigervnc :77 -SecurityTypes None -localhost & websockify --web /usr/share/novnc localhost:6080 localhost:5977',
  ports: [6080],
  tried: 'a desktop',
  async use({ page, open }) {
    await open('/vnc.html?autoconnect=true');
    await page.locator('html.noVNC_connected').waitFor({ state: 'attached' });
    await page.locator('#noVNC_container canvas').waitFor();
  },
};
