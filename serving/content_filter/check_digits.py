"""Numbers that prove themselves."""


def luhn(number: str) -> bool:
    """A payment card's check digit holds (ISO/IEC 7812-1); what is no digit is skipped."""
    digits = [int(sign) for sign in number if "0" <= sign <= "9"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(number: str) -> bool:
    """An account's check digits hold (ISO 13616: 97 divides it with one over); spaces are skipped."""
    plain = "".join(number.split()).lower()
    try:
        return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1
    except ValueError:
        return False
