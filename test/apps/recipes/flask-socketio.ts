import type { Recipe } from '../recipe.js';
import { sees } from '../steps.js';

export const flaskSocketio: Recipe = {
  name: 'flask-socketio',
  title: 'Flask-SocketIO',
  version: '5.7.0',
  packages: {
    pypi: { 'flask-socketio': '5.7.0', flask: '3.1.3', 'simple-websocket': '1.1.0' },
    npm: { 'socket.io-client': '4.8.4' },
  },
  files: {
    'app.py': `from flask import Flask, redirect, render_template_string, request, send_file, session, url_for
from flask_socketio import SocketIO, emit

app = Flask(__name__)
app.secret_key = "secret"
socketio = SocketIO(app)

PAGE = """<!doctype html><p id=said>nothing</p><p id=transport></p><p>named: {{ session.get("name") }}</p>
<form method=post action=/name><input name=name><button>Name</button></form>
<script src=/socket.io.js></script>
<script>
const socket = io();
socket.on("said", (text) => { document.querySelector("#said").textContent = "said: " + text; });
socket.io.engine.on("upgrade", ({ name }) => { document.querySelector("#transport").textContent = "upgraded to " + name; });
</script>"""

@app.get("/")
def page():
    return render_template_string(PAGE)

@app.get("/socket.io.js")
def client():
    return send_file("node_modules/socket.io-client/dist/socket.io.js")

@app.post("/name")
def name():
    session["name"] = request.form["name"]
    return redirect(url_for("page", _external=True))

@socketio.on("say")
def say(text):
    emit("said", text, broadcast=True)
`,
  },
  start: 'flask run --debug',
  ports: [5000],
  isSmall: true,
  tried: 'polling that becomes a WebSocket, a form, a redirect to an absolute URL, a session cookie',
  async use({ page, word }) {
    await sees(page, 'upgraded to websocket');
    await page.evaluate(`socket.emit('say', '${word}')`);
    await sees(page, `said: ${word}`);
    await page.locator('input[name=name]').fill(word);
    await page.getByText('Name', { exact: true }).click();
    await sees(page, `named: ${word}`);
  },
};
