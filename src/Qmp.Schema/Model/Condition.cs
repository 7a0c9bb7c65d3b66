using Qmp.Schema.Parsing;

namespace Qmp.Schema.Model;

/// <summary>When something of the schema exists: a term over configuration symbols.</summary>
internal static class Condition
{
    /// <summary>Checks the syntax of a condition and says whether it holds.</summary>
    /// <param name="condition">A symbol, or an object with <c>all</c>, <c>any</c> or <c>not</c>.</param>
    /// <param name="defined">Symbols that are defined.</param>
    /// <param name="known">Symbols that there are; null if any.</param>
    public static bool Evaluate(SchemaValue condition, ISet<string> defined, IReadOnlyDictionary<string, string>? known = null)
    {
        switch (condition)
        {
            case SchemaString symbol:
                if (!IsSymbol(symbol.Text))
                {
                    throw new SchemaException(symbol.Location, $"'{symbol.Text}' is not a configuration symbol");
                }

                if (known != null && !known.ContainsKey(symbol.Text))
                {
                    throw new SchemaException(symbol.Location, $"'{symbol.Text}' is not among the conditions of this schema");
                }

                return defined.Contains(symbol.Text);
            case SchemaObject { Members.Count: 1 } term:
                return Evaluate(term.Members[0].Key, term.Members[0].Value, defined, known);
            default:
                throw Malformed(condition);
        }
    }

    private static bool Evaluate(string word, SchemaValue term, ISet<string> defined, IReadOnlyDictionary<string, string>? known)
    {
        if (word == "not")
        {
            return !Evaluate(term, defined, known);
        }

        if (word is not ("all" or "any") || term is not SchemaList { Items.Count: > 0 } list)
        {
            throw Malformed(term);
        }

        var holds = list.Items.Select(item => Evaluate(item, defined, known)).ToList(); // each is checked
        return word == "all" ? holds.All(h => h) : holds.Any(h => h);
    }

    private static SchemaException Malformed(SchemaValue condition) =>
        new(condition.Location, "a condition is a symbol, { 'not': ... }, { 'all': [ ... ] } or { 'any': [ ... ] }");

    private static bool IsSymbol(string text) =>
        text.Length > 0 && (char.IsLetter(text[0]) || text[0] == '_') && text.All(c => char.IsLetterOrDigit(c) || c == '_');
}
