import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tallyUtf8 } from "./utf8.ts";

const BAD = Buffer.from([0xa0]);
const bytesOf = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

const tables = new Map<string, Map<string, number[]>>();

/** Node decodes older charsets but cannot encode them: this inverts its decoder. */
function tableOf(charset: string): Map<string, number[]> {
  const known = tables.get(charset);
  if (known !== undefined) return known;
  const decoder = new TextDecoder(charset);
  const table = new Map<string, number[]>();
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  for (const bytes of [
    ...all.map((byte) => [byte]),
    ...all.flatMap((a) => all.map((b) => [a, b])),
  ]) {
    const character = decoder.decode(Uint8Array.from(bytes));
    const isKnown = table.has(character) || Array.from(character).length !== 1;
    if (!isKnown && character !== "\uFFFD") table.set(character, bytes);
  }
  tables.set(charset, table);
  return table;
}

function encode(text: string, charset: string): Buffer {
  return Buffer.from(
    Array.from(text).flatMap((character) => {
      const bytes = tableOf(charset).get(character);
      if (bytes === undefined) throw new Error(`${charset} has no ${character}`);
      return bytes;
    }),
  );
}

describe("text with damaged bytes is UTF-8", () => {
  test.each([
    ["17 quotes and 2 bad bytes", bytesOf("it’s ".repeat(17), Buffer.from([0xa0, 0x20, 0xa0]))],
    ["50 and 6", bytesOf("it’s ".repeat(50), ...Array(6).fill(bytesOf(BAD, " ")))],
    ["100 accents and 12", bytesOf("é ".repeat(100), ...Array(12).fill(bytesOf(BAD, " ")))],
    [
      "27 Japanese characters and 4",
      bytesOf("日本語".repeat(9), ...Array(4).fill(bytesOf(BAD, "a"))),
    ],
    ["one quote and 1", bytesOf("it’s ", BAD)],
    ["four accents and 1", bytesOf("Växter på två ängar", BAD)],
    [
      "a quarter of its quotes lost",
      bytesOf("it’s ".repeat(30), ...Array(20).fill(bytesOf(" ", BAD))),
    ],
  ])("%s", (_, bytes) => {
    expect(tallyUtf8(bytes).likely).toBe(true);
  });
});

describe("text in an older charset is not UTF-8", () => {
  test.each([
    [
      "windows-1252",
      "French",
      "« L’été à Genève », c’est déjà là : où êtes-vous ? CAFÉ\u00a0» MUSÉE“",
    ],
    [
      "windows-1252",
      "capitals",
      "LE CAFÉ\u00a0» L’ÉTÉ\u00a0: DÉJÀ\u00a0! “CAFÉ” MUSÉE – BEAUTÉ» LIBERTÉ’",
    ],
    ["windows-1252", "one capital before a sign", "LE «\u00a0CAFÉ\u00a0»"],
    ["windows-1252", "German", "Die Möbel – „schöne Grüße“ aus Köln. MENÜ– Süß, „Spaß“ Weiß»."],
    ["windows-1252", "Spanish", "¿Cómo está el niño? ¡Mañana! “Señor” 25€, AÑO–1"],
    ["windows-1252", "Portuguese", "A informação NÃO está disponível. “São Paulo” – AÇÕES"],
    ["windows-1252", "Swedish", "Växter på balkongen – Årets bästa ”råd” À la carte, SMÅ” ÅÄÖ–"],
    ["windows-1252", "English", "it’s a “quoted” text – don’t; 25 €, £5, © ½"],
    ["windows-1252", "about broken text", "“Ã©” is é, “Ã¼” is ü and “â€™” an apostrophe – don’t"],
    ["windows-1250", "Polish", "Zażółć gęślą jaźń – „łódź” i święta"],
    [
      "windows-1251",
      "Russian",
      "Привет, мир! «Обычный»… текст том\u00a0— о растениях, НАД» ВОДЫ\u00a0— ДОМ…",
    ],
    ["koi8-r", "Russian", "Привет, мир! Это обычный русский текст о комнатных растениях."],
    ["windows-1253", "Greek", "Καλημέρα κόσμε, αυτό είναι ένα κείμενο."],
    ["windows-1254", "Turkish", "Türkçe ağaç çiçek ışık “şöyle” İstanbul"],
    ["windows-1255", "Hebrew", "שלום עולם, זה טקסט רגיל על צמחי בית"],
    ["windows-1256", "Arabic", "مرحبا بالعالم هذا نص عادي عن النباتات"],
    ["windows-874", "Thai", "สวัสดีชาวโลก นี่คือข้อความธรรมดาเกี่ยวกับต้นไม้ในบ้าน"],
    ["shift_jis", "Japanese", "日本語の文章です。植物は水と光を必要とします。カタカナもあります。"],
    ["euc-jp", "Japanese", "日本語の文章です。植物は水と光を必要とします。カタカナもあります。"],
    [
      "euc-jp",
      "Japanese in hiragana",
      "のはのにのとのをのはなとのはなのにはのはものよりのほうがよい",
    ],
    ["euc-jp", "Japanese in katakana", "コンピュータープログラムのカタログ"],
    ["gbk", "Chinese", "这是一个普通的中文文本,关于室内植物以及如何在冬天照顾它们。"],
    ["gbk", "a word that an editor famously took for UTF-8", "联通联通公司"],
    ["big5", "Chinese", "這是一個普通的中文文本關於室內植物以及如何在冬天照顧它們"],
    ["euc-kr", "Korean", "안녕하세요. 이것은 실내 식물에 관한 평범한 한국어 글입니다."],
  ])("%s: %s", (charset, _, text) => {
    for (const times of [1, 20]) {
      const bytes = encode(text.repeat(times), charset);
      expect(new TextDecoder(charset).decode(bytes)).toBe(text.repeat(times));
      expect(tallyUtf8(bytes).likely).toBe(false);
    }
  });
});

test("broken bytes are those for which the decoder finds no character", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom("c0af", "e08080", "eda080", "f4908080", "f0808080", "e280", "f09f98", "ff")
      .map((hex) => Buffer.from(hex, "hex")),
    fc.uint8Array({ maxLength: 4 }),
  );
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      // In decoded text, a literal U+FFFD and a broken byte look the same.
      const bytes = Buffer.from(
        Buffer.concat(pieces).toString("latin1").replaceAll("\xEF\xBF\xBD", ""),
        "latin1",
      );
      const kept = decoder.decode(bytes).replaceAll("\uFFFD", "");
      fc.pre(!bytes.includes("\uFFFD"));
      expect(tallyUtf8(bytes).broken).toBe(bytes.length - Buffer.byteLength(kept));
    }),
    { numRuns: 2000 },
  );
});
