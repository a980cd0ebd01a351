import * as sdk from '@composio/core';
import { z } from 'zod';
import { runSuites } from '../suite/index.mjs';

runSuites(sdk, z);
