"""Check digits of payment card and bank account numbers."""


def luhn(number: str) -> bool:
    """Return True if the check digit of a payment card number is right (ISO/IEC 7812-1). Other characters are skipped."""
    digits = [int(character) for character in number if "0" <= character <= "9"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(number: str) -> bool:
    """Return True if the check digits of an IBAN are right (ISO 13616: the number modulo 97 is 1). Spaces are skipped."""
    compact = "".join(number.split()).lower()
    try:
        return 15 <= len(compact) <= 34 and int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
    except ValueError:
        return False
