import { join } from 'node:path';
import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const fastapi: Recipe = {
  name: 'fastapi',
  title: 'FastAPI',
  version: '0.165.0',
  packages: {
    pypi: { fastapi: '0.165.0', uvicorn: '0.54.0', websockets: '17.4' },
    npm: { 'swagger-ui-dist': '5.35.0' },
  },
  files: {
    'main.py': `from fastapi import FastAPI, WebSocket
from fastapi.responses import HTMLResponse

app = FastAPI()

PAGE = """<!doctype html><input disabled><p>nothing</p><script>
const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
socket.onopen = () => { document.querySelector("input").disabled = false; };
socket.onmessage = ({ data }) => { document.querySelector("p").textContent = data; };
document.querySelector("input").onchange = ({ target }) => socket.send(target.value);
</script>"""

@app.get("/")
def page():
    return HTMLResponse(PAGE)

@app.get("/items/")
def items(word: str = "nothing"):
    return {"word": word}

@app.websocket("/ws")
async def socket(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text("said: " + await websocket.receive_text())
`,
  },
  start: 'uvicorn main:app --reload',
  ports: [8000],
  tried: 'a WebSocket, a redirect to the path with a slash, a request from the page of docs',
  async use({ app, page, open, word }) {
    await page.locator('input').fill(word);
    await page.locator('input').press('Enter');
    await sees(page, `said: ${word}`);
    await open(`/items?word=${word}`);
    await sees(page, word);
    // The page of docs takes its script from a public network.
    await page.route('https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/*', (route) => {
      const file = new URL(route.request().url()).pathname.split('/').at(-1) ?? '';
      return route.fulfill({ path: join(app.directory, 'node_modules/swagger-ui-dist', file) });
    });
    await open('/docs');
    await page.getByText('/items/').first().click();
    await page.getByText('Try it out').click();
    await page.getByPlaceholder('word').fill(word);
    await page.getByText('Execute').click();
    await page.locator('.live-responses-table .response-col_status').getByText('200').waitFor();
  },
};
