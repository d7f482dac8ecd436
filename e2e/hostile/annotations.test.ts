import { ANNOTATION_ATTACKS } from "./annotations.ts";
import { testAttacks } from "./attacks.suite.ts";

testAttacks(ANNOTATION_ATTACKS);
