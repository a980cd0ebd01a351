import * as sdk from '@composio/core';
import { runSuites } from '../suite/index.mjs';

runSuites(sdk);
