/** An event stream's message, as the HTML standard has it. */
export interface Message {
    /** The event's name; "message" when it has none. */
    name: string;
    data: string;
    /** The last id that the stream gave. */
    id: string;
    /** That id was given with this very message. */
    own: boolean;
}

export interface ParserSink {
    message(message: Message): void;
    /** The stream's `retry:` in milliseconds. */
    retry?(ms: number): void;
    comment?(text: string): void;
}

export interface Parser {
    /** Takes the next bytes and hands over the messages that they complete. */
    feed(bytes: Uint8Array): void;
}

export function createParser(sink: ParserSink): Parser;
