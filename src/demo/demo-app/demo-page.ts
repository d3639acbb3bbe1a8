/** What curl gets: the same content without markup. */
export const DEMO_TEXT = `Hello from inside the sandbox.

  /clock   server-sent events, one a second
  /echo    a WebSocket that sends back what it gets
  /headers the headers as they arrived here: without your API key
`;

/** The page. It reads the clock and uses the echo by relative addresses, as any app behind the proxy can. */
export const DEMO_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Demo sandbox</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }
  output { font-variant-numeric: tabular-nums; font-weight: 600 }
</style>
<h1>Hello from inside the sandbox</h1>
<p>Clock, by server-sent events: <output id="clock">waiting</output></p>
<p>Echo, by WebSocket: <output id="echo">waiting</output></p>
<p><a href="headers">The headers as they arrived here</a>: without your API key.</p>
<script>
  const show = (id, text) => { document.getElementById(id).textContent = text };
  new EventSource('clock').onmessage = (event) => show('clock', event.data);
  const socket = new WebSocket(new URL('echo', location.href.replace(/^http/, 'ws')));
  socket.onopen = () => socket.send('hello');
  socket.onmessage = (event) => show('echo', event.data);
</script>
</html>
`;
