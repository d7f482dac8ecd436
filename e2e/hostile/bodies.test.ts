import { BODY_ATTACKS } from "./bodies.ts";
import { testAttacks } from "./attacks.suite.ts";

testAttacks(BODY_ATTACKS);
