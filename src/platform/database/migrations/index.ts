import { CreateTables1767225600000 } from './1767225600000-create-tables.js';
import { NotifyChanges1767225600001 } from './1767225600001-notify-changes.js';
import { BrowserAccess1767225600002 } from './1767225600002-browser-access.js';
import { AppHost1767225600003 } from './1767225600003-app-host.js';
import { SessionEnds1767225600004 } from './1767225600004-session-ends.js';
import { LinkPorts1767225600005 } from './1767225600005-link-ports.js';

/** All migrations, oldest first. A new one is added here. */
export const MIGRATIONS = [
  CreateTables1767225600000,
  NotifyChanges1767225600001,
  BrowserAccess1767225600002,
  AppHost1767225600003,
  SessionEnds1767225600004,
  LinkPorts1767225600005,
] as const;
