import { failOnTransformWarnings } from './harness.mjs';
import { accountSuite } from './connected_accounts.mjs';
import { authConfigSuite } from './auth_configs.mjs';
import { errorSuite } from './errors.mjs';
import { isolationSuite } from './isolation.mjs';
import { servicesSuite } from './services.mjs';
import { sessionSuite } from './session.mjs';
import { toolkitSuite } from './toolkits.mjs';
import { toolSuite } from './tools.mjs';
import { triggerSuite } from './triggers.mjs';
import { webhookSuite } from './webhooks.mjs';

/** Registers all suites for one version of the SDK; z is the zod that stands beside it. */
export function runSuites(sdk, z) {
  failOnTransformWarnings();
  sessionSuite(sdk, z);
  toolSuite(sdk);
  toolkitSuite(sdk);
  authConfigSuite(sdk);
  accountSuite(sdk);
  servicesSuite(sdk);
  isolationSuite(sdk);
  triggerSuite(sdk);
  webhookSuite(sdk);
  errorSuite(sdk);
}
