import { COUNT_ATTACKS } from "./counts.ts";
import { testAttacks } from "./attacks.suite.ts";

testAttacks(COUNT_ATTACKS);
