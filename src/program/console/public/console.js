// @ts-check
/**
 * The console: a team's sandboxes, their ports and preview links, over the API that everybody uses.
 *
 * Three rules. The key is in `session` and nowhere else. The address of a preview link is on the screen while its
 * dialog is open and nowhere else. What the server says becomes text, never markup.
 */

/** @typedef {{ id: string, template: string, status: string, urlTemplate: string, createdAt: string }} Sandbox */
/**
 * @typedef {{ id: string, port: number, ports: number[], label: string | null, once: boolean, embed: boolean,
 *   allowedOrigins: string[], expiresAt: string, renewUntil: string | null, endSessionsOnPause: boolean,
 *   usedAt: string | null }} Link
 */
/** @typedef {{ port: number, visibility: 'private' | 'public', cors: 'app' | string[], appHost: 'local' | 'external' }} PortSettings */
/** @typedef {Record<string, FormDataEntryValue>} Fields */

// ── the API ──

/** The key in use. It is replaced as a whole, and its requests are aborted, so that no answer reaches the next person. */
let session = { key: '', ended: new AbortController() };

/** The API refused something: its message, and the single problems. */
class Refusal extends Error {
  /** @param {string} message @param {string[]} [problems] */
  constructor(message, problems = []) {
    super(message);
    this.problems = problems;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<any>} the JSON of the answer; undefined where it has none
 * @throws {Refusal}
 */
async function call(method, path, body) {
  const { key, ended } = session;
  /** @type {Record<string, string>} */
  const headers = { 'X-API-Key': key };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const { signal } = ended;
  const options = { method, headers, signal, body: body === undefined ? null : JSON.stringify(body) };
  const answer = await fetch(path, {
    ...options,
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  }).catch((cause) => {
    throw signal.aborted ? cause : new Refusal('The API cannot be reached.');
  });
  const json = await answer.json().catch(() => undefined);
  signal.throwIfAborted();
  if (answer.ok) return json;
  const { message, problems } = json?.error ?? {};
  const text = String(message ?? `The API answered ${answer.status}.`);
  const refusal = new Refusal(text, Array.isArray(problems) ? problems.map(String) : []);
  if (answer.status === 401) {
    forgetKey();
    complain(refusal); // here, since the list that asked is gone
  }
  throw refusal;
}

/** @param {string} id */
const pathOf = (id) => `/v1/sandboxes/${encodeURIComponent(id)}`;

/** @param {string} next what to continue after; empty for the start */
const after = (next) => (next === '' ? '' : `after=${encodeURIComponent(next)}`);

// ── the document ──

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {{ new (): T }} type
 * @returns {T}
 */
function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new TypeError(`the page has no ${selector}`);
  return found;
}

/** @param {ParentNode} root @param {string} name @returns {HTMLElement} */
const slot = (root, name) => find(root, `[data-slot="${name}"]`, HTMLElement);

/** @param {string} id @returns {HTMLLIElement} a copy of the list item in that template */
function copyOf(id) {
  const { content } = find(document, `#${id}`, HTMLTemplateElement);
  return find(/** @type {DocumentFragment} */ (content.cloneNode(true)), 'li', HTMLLIElement);
}

/** @param {string} name @param {string} text */
function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/**
 * A row of a list: two lines of text, and what can be done.
 *
 * @param {string} name
 * @param {(string | Node)[]} details
 * @param {HTMLElement[]} actions
 */
function row(name, details, actions) {
  const made = copyOf('row-template');
  slot(made, 'name').textContent = name;
  slot(made, 'details').append(...details.flatMap((part, i) => (i === 0 ? [part] : [' · ', part])));
  find(made, '.buttons', HTMLElement).append(...actions);
  return made;
}

/**
 * @param {string} text
 * @param {string} about what it is about, for those who do not see the row
 * @param {() => Promise<void>} work
 */
function button(text, about, work) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.setAttribute('aria-label', `${text}: ${about}`);
  made.addEventListener('click', () => attempt(made, work));
  return made;
}

/** @param {HTMLAnchorElement} anchor @param {string} url @throws {Refusal} for what is not the web */
function aim(anchor, url) {
  if (!/^https?:\/\//i.test(url)) throw new Refusal('The API gave an address that is not http.');
  anchor.href = url;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
}

/** @param {HTMLFormElement} form @param {(fields: Fields) => Promise<void>} work */
function onSubmit(form, work) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const submit = find(form, '[type="submit"]', HTMLButtonElement);
    void attempt(submit, () => work(Object.fromEntries(new FormData(form))));
  });
}

/** @param {FormDataEntryValue | undefined} text separated by spaces or commas */
const origins = (text) =>
  String(text)
    .split(/[\s,]+/)
    .filter(Boolean);

// ── messages ──

const notice = find(document, '#notice', HTMLElement);
const failure = find(document, '#failure', HTMLElement);
const dismiss = find(document, '#dismiss', HTMLButtonElement);

/** @param {HTMLElement | null} place @param {HTMLElement[]} parts */
function tell(place, ...parts) {
  notice.replaceChildren();
  failure.replaceChildren();
  place?.replaceChildren(...parts);
  dismiss.hidden = place === null;
}

/** @param {string} text */
const say = (text) => tell(notice, element('p', text));

/** @param {unknown} error */
function complain(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return; // of a key that was forgotten
  const list = document.createElement('ul');
  if (error instanceof Refusal) list.append(...error.problems.map((problem) => element('li', problem)));
  const text = error instanceof Error ? error.message : String(error);
  tell(failure, element('p', `Not done: ${text}`), ...(list.childElementCount > 0 ? [list] : []));
}

/**
 * Runs what a button is for, once at a time. The button stays focusable: a disabled one would lose the focus.
 *
 * @param {HTMLElement} pressed
 * @param {() => Promise<void>} work
 */
async function attempt(pressed, work) {
  if (pressed.getAttribute('aria-busy') === 'true') return;
  pressed.setAttribute('aria-busy', 'true');
  tell(null);
  try {
    await work();
  } catch (error) {
    complain(error);
  } finally {
    pressed.removeAttribute('aria-busy');
  }
}

dismiss.addEventListener('click', () => tell(null));

// ── dialogs ──

const confirmDialog = find(document, '#confirm', HTMLDialogElement);
const yes = find(confirmDialog, '#yes', HTMLButtonElement);
yes.addEventListener('click', () => confirmDialog.close('yes'));
find(confirmDialog, '#no', HTMLButtonElement).addEventListener('click', () => confirmDialog.close());

/** @param {string} question @param {string} action what the button says @returns {Promise<boolean>} */
function confirmed(question, action) {
  find(confirmDialog, '#question', HTMLElement).textContent = question;
  yes.textContent = action;
  confirmDialog.returnValue = '';
  confirmDialog.showModal();
  return new Promise((resolve) => {
    const closed = () => resolve(confirmDialog.returnValue === 'yes');
    confirmDialog.addEventListener('close', closed, { once: true });
  });
}

const made = find(document, '#made', HTMLDialogElement);
const address = slot(made, 'url');
const open = find(made, 'a', HTMLAnchorElement);
const copied = find(made, '#copied', HTMLElement);
find(made, '#done', HTMLButtonElement).addEventListener('click', () => made.close());
find(made, '#copy', HTMLButtonElement).addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(address.textContent ?? '');
    copied.textContent = 'Copied.';
  } catch {
    // pages that came over http from another machine have no access to the clipboard
    getSelection()?.selectAllChildren(address);
    copied.textContent = 'Selected: copy it with Ctrl+C or ⌘C.';
  }
});
made.addEventListener('close', () => {
  address.textContent = '';
  copied.textContent = '';
  open.removeAttribute('href');
});

/** @param {Link & { url: string }} link */
function showOnce(link) {
  aim(open, link.url);
  address.textContent = link.url;
  slot(made, 'expires').textContent = clock(link.expiresAt);
  slot(made, 'once').hidden = !link.once;
  made.showModal();
}

// ── time ──

const UNITS = /** @type {const} */ ([
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]);
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });
const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });

/** @param {string} instant */
const clock = (instant) => absolute.format(new Date(instant));

/** @param {string} instant @returns {string} `in 14 minutes`, `3 days ago` */
function distance(instant) {
  const seconds = Math.round((Date.parse(instant) - Date.now()) / 1_000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** @param {string} instant @returns {string} `expires in 14 minutes, Mar 3, 2026, 3:42 PM` */
const expiry = (instant) =>
  `${Date.parse(instant) > Date.now() ? 'expires' : 'expired'} ${distance(instant)}, ${clock(instant)}`;

setInterval(() => {
  for (const time of document.querySelectorAll('.rows time')) {
    time.textContent = expiry(time.getAttribute('datetime') ?? '');
  }
}, 5_000);

// ── a sandbox's preview links ──

/** @param {Sandbox} sandbox @param {HTMLElement} part @returns {() => Promise<void>} shows them as they are now */
function linksOf(sandbox, part) {
  const path = `${pathOf(sandbox.id)}/links`;
  const reload = listIn(part, 'No link that still works.', async () => {
    /** @type {Link[]} */
    const links = [];
    for (let next = ''; ;) {
      const page = await call('GET', `${path}?${after(next)}`);
      links.push(...page.items);
      if (typeof page.next !== 'string') break;
      next = page.next;
    }
    return links.map(linkRow);
  });

  /** @param {Link} link */
  function linkRow(link) {
    const name = `Port${link.ports.length > 1 ? 's' : ''} ${link.ports.join(', ')}${link.label ? `: ${link.label}` : ''}`;
    const time = document.createElement('time');
    time.dateTime = link.expiresAt;
    time.textContent = expiry(link.expiresAt);
    const details = [
      time,
      ...(link.once ? ['works once'] : []),
      ...(link.usedAt ? [`opened ${clock(link.usedAt)}`] : []),
      ...(link.renewUntil ? [`goes on while used, until ${clock(link.renewUntil)}`] : []),
      ...(link.endSessionsOnPause ? ['ends with a pause'] : []),
      ...(link.embed ? ['may be embedded'] : []),
      ...(link.allowedOrigins.length > 0 ? [`for ${link.allowedOrigins.join(', ')}`] : []),
    ];
    const revoke = button('Revoke', name, async () => {
      if (!(await confirmed(`Revoke the link “${name}”? Whoever uses it loses access.`, 'Revoke'))) return;
      await call('DELETE', `${path}/${encodeURIComponent(link.id)}`);
      await reload();
      say('The link is revoked.');
      find(part, 'h4', HTMLElement).focus();
    });
    return row(name, details, [revoke]);
  }

  const form = find(part, 'form', HTMLFormElement);
  onSubmit(form, async (fields) => {
    const label = String(fields['label']).trim();
    const allowedOrigins = origins(fields['allowedOrigins']);
    const others = String(fields['others'])
      .split(/[\s,]+/)
      .filter((text) => text !== '');
    const link = await call('POST', path, {
      ports: [fields['port'], ...others].map(Number),
      ttlSeconds: Number(fields['ttlSeconds']),
      ...(label === '' ? {} : { label }),
      ...('once' in fields ? { once: true } : {}),
      ...('renew' in fields ? { renew: true } : {}),
      ...('endSessionsOnPause' in fields ? { endSessionsOnPause: true } : {}),
      ...('embed' in fields ? { embed: true } : {}),
      ...(allowedOrigins.length === 0 ? {} : { allowedOrigins }),
    });
    form.reset();
    showOnce(link);
    await reload();
  });
  return reload;
}

// ── a sandbox's ports ──

/** @param {Sandbox} sandbox @param {HTMLElement} part @returns {() => Promise<void>} shows them as they are now */
function portsOf(sandbox, part) {
  const path = `${pathOf(sandbox.id)}/ports`;
  const form = find(part, 'form', HTMLFormElement);
  const port = find(form, '[name="port"]', HTMLInputElement);
  const visibility = find(form, '[name="visibility"]', HTMLSelectElement);
  const cors = find(form, '[name="cors"]', HTMLSelectElement);
  const appHost = find(form, '[name="app-host"]', HTMLSelectElement);
  const corsOrigins = find(form, '[name="origins"]', HTMLInputElement);
  /** @type {Map<number, PortSettings>} */
  let known = new Map();

  const none = 'No port has settings of its own: all are private.';
  const reload = listIn(part, none, async () => {
    /** @type {PortSettings[]} */
    const ports = [];
    for (let next = ''; ;) {
      const page = await call('GET', `${path}?${after(next)}`);
      ports.push(...page.items);
      if (typeof page.next !== 'string') break;
      next = page.next;
    }
    known = new Map(ports.map((settings) => [settings.port, settings]));
    return ports.map(portRow);
  });

  /** @param {PortSettings} settings */
  async function save({ port, visibility, cors, appHost: seen }) {
    const question = `Make port ${port} public? Anyone who has its address gets in, without a key.`;
    const isNews = visibility === 'public' && known.get(port)?.visibility !== 'public';
    if (isNews && !(await confirmed(question, 'Make public'))) return;
    await call('PUT', `${path}/${port}`, { visibility, cors, appHost: seen });
    await reload();
    say(`Port ${port} is ${visibility}.`);
    find(part, 'h4', HTMLElement).focus();
  }

  /** @param {PortSettings} settings */
  function portRow(settings) {
    const name = `Port ${settings.port}`;
    const isPublic = settings.visibility === 'public';
    const toggle = isPublic ? 'Make private' : 'Make public';
    const actions = [
      button(toggle, name, () => save({ ...settings, visibility: isPublic ? 'private' : 'public' })),
      button('Edit', name, async () => {
        port.value = String(settings.port);
        showKnown();
        visibility.focus();
      }),
    ];
    return row(
      name,
      [
        isPublic ? 'Public: anyone gets in' : 'Private: by key or link',
        settings.cors === 'app'
          ? 'cross-origin requests: the app decides'
          : `cross-origin requests from ${settings.cors.join(', ') || 'nowhere'}`,
        ...(settings.appHost === 'external' ? ['the app sees its address from outside'] : []),
      ],
      isPublic ? [opener(settings.port), ...actions] : actions,
    );
  }

  /** @param {number} port */
  function opener(port) {
    const anchor = document.createElement('a');
    anchor.className = 'button';
    anchor.textContent = 'Open';
    anchor.setAttribute('aria-label', `Open: Port ${port}, in a new tab`);
    aim(anchor, sandbox.urlTemplate.replace('{port}', String(port)));
    return anchor;
  }

  /** A port that has settings shows them, so that saving one of them keeps the others. */
  function showKnown() {
    const settings = known.get(Number(port.value));
    if (settings !== undefined) {
      visibility.value = settings.visibility;
      appHost.value = settings.appHost;
      cors.value = settings.cors === 'app' ? 'app' : 'origins';
      corsOrigins.value = settings.cors === 'app' ? '' : settings.cors.join(' ');
    }
    showOrigins();
  }
  const showOrigins = () => {
    slot(form, 'origins').hidden = cors.value === 'app';
    corsOrigins.required = cors.value !== 'app';
  };
  port.addEventListener('input', showKnown);
  cors.addEventListener('change', showOrigins);
  form.addEventListener('reset', () => setTimeout(showOrigins));
  onSubmit(form, async (fields) => {
    await save({
      port: Number(fields['port']),
      visibility: fields['visibility'] === 'public' ? 'public' : 'private',
      appHost: fields['app-host'] === 'external' ? 'external' : 'local',
      cors: fields['cors'] === 'app' ? 'app' : origins(fields['origins']),
    });
    form.reset();
  });
  return reload;
}

/**
 * A list that is read from the API. While it is being read, if it is empty, and if it cannot be read, there is a note instead.
 *
 * @param {HTMLElement} part
 * @param {string} none
 * @param {() => Promise<HTMLElement[]>} read
 */
function listIn(part, none, read) {
  const list = find(part, '.rows', HTMLUListElement);
  const note = slot(part, 'note');
  let turn = 0;
  return async () => {
    turn += 1;
    const mine = turn;
    if (list.childElementCount === 0) note.textContent = 'Reading…';
    /** @type {HTMLElement[]} */
    let rows = [];
    let text = '';
    try {
      rows = await read();
      if (rows.length === 0) text = none;
    } catch (error) {
      text = `Cannot be shown: ${error instanceof Error ? error.message : error}`;
    }
    if (mine !== turn) return; // a later reading knows better
    list.replaceChildren(...rows);
    note.textContent = text;
  };
}

// ── the sandboxes ──

const sandboxes = find(document, '#sandboxes', HTMLElement);
const sandboxList = find(document, '#sandbox-list', HTMLUListElement);
const more = find(document, '#more', HTMLButtonElement);

/** @param {Sandbox} sandbox */
function sandboxItem(sandbox) {
  const item = copyOf('sandbox-template');
  item.dataset['id'] = sandbox.id;
  slot(item, 'id').textContent = sandbox.id;
  slot(item, 'status').textContent = sandbox.status;
  slot(item, 'status').dataset['status'] = sandbox.status;
  slot(item, 'about').textContent = `${sandbox.template}, made ${distance(sandbox.createdAt)}`;
  slot(item, 'urlTemplate').textContent = sandbox.urlTemplate;
  slot(item, 'unreachable').hidden = sandbox.status === 'running';
  const reloads = [
    linksOf(sandbox, find(item, '[data-part="links"]', HTMLElement)),
    portsOf(sandbox, find(item, '[data-part="ports"]', HTMLElement)),
  ];
  const details = find(item, 'details', HTMLDetailsElement);
  details.addEventListener('toggle', () => {
    if (details.open) for (const reload of reloads) void reload();
  });
  return item;
}

/** @param {string} [next] adds the sandboxes after this one; without it the list begins again */
async function showSandboxes(next = '') {
  const page = await call('GET', `/v1/sandboxes?limit=100&${after(next)}`);
  const opened = new Set([...sandboxList.querySelectorAll('li:has(> details[open])')].map(idOf));
  const items = page.items.map(sandboxItem);
  if (next === '') sandboxList.replaceChildren();
  sandboxList.append(...items);
  for (const item of items) {
    const isOnly = next === '' && page.next === null && items.length === 1;
    find(item, 'details', HTMLDetailsElement).open = isOnly || opened.has(idOf(item));
  }
  find(document, '#no-sandboxes', HTMLElement).hidden = sandboxList.childElementCount > 0;
  more.hidden = page.next === null;
  more.dataset['next'] = page.next ?? '';
}

/** @param {Element} item */
const idOf = (item) => (item instanceof HTMLElement ? item.dataset['id'] : undefined);

more.addEventListener('click', () => attempt(more, () => showSandboxes(more.dataset['next'])));
const refresh = find(document, '#refresh', HTMLButtonElement);
refresh.addEventListener('click', () =>
  attempt(refresh, async () => {
    await showSandboxes();
    say('The list is up to date.');
  }),
);

// ── the key ──

const signIn = find(document, '#sign-in', HTMLFormElement);
const keyField = find(document, '#key', HTMLInputElement);
const forget = find(document, '#forget', HTMLButtonElement);

/** Shows the one page or the other. @param {boolean} isSignedIn */
function show(isSignedIn) {
  signIn.hidden = isSignedIn;
  sandboxes.hidden = !isSignedIn;
  forget.hidden = !isSignedIn;
}

/** Forgets the key and everything that was read with it, and aborts requests under way. */
function forgetKey() {
  session.ended.abort();
  session = { key: '', ended: new AbortController() };
  for (const dialog of [made, confirmDialog]) dialog.close();
  sandboxList.replaceChildren();
  show(false);
  keyField.focus();
}

onSubmit(signIn, async () => {
  const key = keyField.value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Refusal('That is not an API key.');
  session = { key, ended: new AbortController() };
  await showSandboxes();
  keyField.value = '';
  show(true);
  find(document, '#sandboxes-title', HTMLElement).focus();
});
forget.addEventListener('click', () => {
  forgetKey();
  say('The key is forgotten.');
});
// a page that the browser has kept for its Back button must come back without the key
addEventListener('pagehide', forgetKey);

show(false);
