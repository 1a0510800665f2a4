/** JSON as it is written: numbers keep their digits, objects the order and the spelling of their names. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const jsonText = fragment({
  file: import.meta.url,
  imports: [
    'import json',
    'import re',
    'from collections.abc import Callable',
    'from decimal import Decimal, DecimalException',
  ],
  constants: python`
    PLAIN_DIGITS = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
    JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
    # Up to here every whole number is a double of its own.
    MOST_WHOLE = 2**53
    # A number is not written with more characters.
    LONGEST_NUMBER = 64
  `,
  code: python`
    class NumberText(str):
        """A number as it is written."""

        __slots__ = ()


    class JsonObject(list[tuple[str, object]]):
        """The names of an object as they are spelt, in order, with their values."""


    class Constant(str):
        """NaN or infinity, where they are looked for."""

        __slots__ = ()


    def refuse_constant(name: str) -> object:
        """NaN and infinity are no JSON, though Python takes them."""
        raise ValueError(name)


    def json_decoder(constant: Callable[[str], object] = refuse_constant) -> json.JSONDecoder:
        """Reads JSON as it is written; raises ValueError, or RecursionError where it is nested too deep."""
        return json.JSONDecoder(
            object_pairs_hook=JsonObject,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=constant,
        )


    def whole_number(text: str) -> int | None:
        """The whole number that a JSON number with a fraction or an exponent stands for; None if digits may be lost."""
        if len(text) > LONGEST_NUMBER or JSON_NUMBER.fullmatch(text) is None:
            return None
        try:
            number = Decimal(text)
            if abs(number) > MOST_WHOLE or number != number.to_integral_value():
                return None
        except DecimalException:
            return None
        return int(number)
  `,
});
