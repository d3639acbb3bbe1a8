import { SandboxIds } from '@sandbox-control-plane/sandbox-proxy';

/** `3000-vm-0123456789ab.sandboxes.example.com` is port 3000 of machine `vm-0123456789ab`. */
export class MachineIds extends SandboxIds {
  readonly hostPattern = 'vm-[0-9a-z]+'; // wider than the form: what it matches is for the proxy
  readonly description = '"vm-" and 12 hex digits'; // told to who sends something else

  isWellFormed(id: string): boolean {
    return /^vm-[0-9a-f]{12}$/.test(id);
  }
}
