"""Gate: does the evaluated model keep the bounds that the profile declares?"""
