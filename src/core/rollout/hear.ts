// What a scripted user understands of an agent's message: by key words, so that any agent is understood, not only ours.

export type Topic = "user-id" | "trip" | "reason" | "payment" | "date" | "cabin" | "bags" | "details";

export interface Heard {
  /** Facts the agent asks for, in the order of the message. */
  readonly asks: readonly Topic[];
  readonly isRefusal: boolean;
  /** Wants a yes before it acts. */
  readonly wantsConfirmation: boolean;
  /** Says it has acted, or asks for the next wish. */
  readonly isDone: boolean;
}

const TOPICS: readonly (readonly [Topic, RegExp])[] = [
  ["user-id", /\buser[ -]?id|\bidentif|your id\b|username|profile/],
  ["reason", /\breason|\bwhy\b/],
  ["payment", /\bpay|\bcard|\bmethod|refund to/],
  ["trip", /\breservation|\bbooking|confirmation (number|code)|\b(which|what) (trip|flight)|trip id/],
  ["date", /\bdate|\bwhen\b|\bwhich day|\btime\b/],
  ["cabin", /\bcabin|\bclass\b/],
  ["bags", /\bbag|luggage|suitcase/],
  ["details", /\bname|\bpassenger|\binsurance|\bdetails|\bprefer|\bwhich|\bwhat|\bwhere|\bhow many/],
];
const REFUSAL =
  /\bcan ?not\b|\bcan't\b|\bunable\b|\bnot (allowed|possible|eligible|permitted|able|available)\b|\bwon't be able\b|\bno compensation\b|against (the|our) /;
const CONFIRMATION =
  /\b(shall|should) i\b|would you like me\b|do you (want me|wish me|confirm|agree)\b|\bconfirm\b|\bproceed\b|go ahead|is (that|this) (ok|okay|correct|right)\b|yes\/no|yes or no|\(yes/;
const NEXT = /\b(anything|something) else\b|else i can|further (help|assist)|other requests?/;
const DONE =
  /\bdone\b|\b(has|have) (now )?been\b|\bi(?: ha|')ve\b.*\b(cancel|chang|updat|add|sent|book|process|issu|upgrad)|\bsuccessfully\b|\bcompleted\b/;
const QUESTION = /\?|\bplease\b|\bcould you\b|\bmay i\b|\bi('ll)? need\b|\bprovide\b|\btell me\b|\blet me know\b/;

/** Reads one message of the agent. */
export function hear(message: string): Heard {
  const text = message.toLowerCase();
  const questions = sentences(text).filter((sentence) => QUESTION.test(sentence) && !CONFIRMATION.test(sentence) && !NEXT.test(sentence));
  const asks = [...new Set(questions.flatMap(topicOf))];
  const isRefusal = REFUSAL.test(text);
  const isNext = NEXT.test(text);
  const wantsConfirmation = !isRefusal && !isNext && CONFIRMATION.test(text);
  return { asks, isRefusal, wantsConfirmation, isDone: isNext || (!wantsConfirmation && !isRefusal && DONE.test(text)) };
}

const sentences = (text: string): string[] => text.split(/(?<=[.?!\n])\s+/);

/** What a question is about: everything specific in it, and "details" only when there is nothing specific. */
function topicOf(question: string): Topic[] {
  const topics = TOPICS.filter(([, pattern]) => pattern.test(question)).map(([topic]) => topic);
  const specific = topics.filter((topic) => topic !== "details");
  return specific.length > 0 ? specific : topics;
}
