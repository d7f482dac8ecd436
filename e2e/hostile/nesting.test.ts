import { NESTING_ATTACKS } from "./nesting.ts";
import { testAttacks } from "./attacks.suite.ts";

testAttacks(NESTING_ATTACKS);
