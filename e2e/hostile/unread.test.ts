import { UNREAD_ATTACKS } from "./unread.ts";
import { testAttacks } from "./attacks.suite.ts";

testAttacks(UNREAD_ATTACKS);
