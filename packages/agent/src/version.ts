/** The agent's own version, as it is told to the server and shown to people. */
import manifest from '../package.json' with { type: 'json' };

export const agentVersion = `v${manifest.version}`;
