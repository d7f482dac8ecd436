/** Parses an article into the blocks and links that the rules measure and that mending changes. */
import { Lexer, type Token, type Tokens } from "marked";

export interface Article {
  /** In the order of the text. Their `raw` texts, concatenated, are the Markdown. */
  blocks: Block[];
}

export interface Block {
  kind: "title" | "heading" | "paragraph" | "list" | "other";
  raw: string;
  /** The block's text without markup. */
  text: string;
  links: ArticleLink[];
}

export interface ArticleLink {
  href: string;
  text: string;
  /** The link as it stands in the block's `raw`. */
  raw: string;
  /** Offset of the link's text in the block's text. */
  offset: number;
}

export function parseArticle(markdown: string): Article {
  const blocks = new Lexer({ gfm: true }).lex(markdown).map(blockOf);
  return { blocks };
}

export function articleMarkdown(article: Article): string {
  return article.blocks.map((block) => block.raw).join("");
}

export function paragraphsOf(article: Article): Block[] {
  return article.blocks.filter((block) => block.kind === "paragraph");
}

/** Paragraphs and lists, without headings. */
export function proseBlocks(article: Article): string[] {
  return article.blocks
    .filter((block) => block.kind === "paragraph" || block.kind === "list")
    .map((block) => block.text);
}

export function proseOf(article: Article): string {
  return proseBlocks(article).join("\n");
}

export function titleOf(article: Article): string {
  return article.blocks.find((block) => block.kind === "title")?.text ?? "";
}

function blockOf(token: Token): Block {
  const links: ArticleLink[] = [];
  const text = plain(token, links, 0).trim();
  return { kind: kindOf(token), raw: token.raw, text, links };
}

function kindOf(token: Token): Block["kind"] {
  switch (token.type) {
    case "heading":
      return (token as Tokens.Heading).depth === 1 ? "title" : "heading";
    case "paragraph":
    case "text":
      return "paragraph";
    case "list":
      return "list";
    default:
      return "other";
  }
}

/** `at`: offset of the token's text in its block. */
function plain(token: Token, links: ArticleLink[], at: number): string {
  if (token.type === "html" || token.type === "def") return "";
  if (token.type === "br" || token.type === "space") return " ";
  const children = childrenOf(token);
  if (children.length === 0) return "text" in token ? token.text : "";
  let text = "";
  for (const child of children) {
    text += plain(child, links, at + text.length);
    if (child.type === "list_item") text += "\n";
  }
  if (token.type === "link") {
    const link = token as Tokens.Link;
    links.push({ href: link.href, text, raw: link.raw, offset: at });
  }
  return text;
}

function childrenOf(token: Token): Token[] {
  if (token.type === "list") return (token as Tokens.List).items;
  return "tokens" in token ? (token.tokens ?? []) : [];
}
